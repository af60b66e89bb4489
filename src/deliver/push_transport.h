// Attempts at events as HTTP requests to the app.
//
// Each attempt that Send began is told to `on_result` once, later, unless it was cancelled.
//
// Thread: the loop's. Lifetime: destroying it ends every attempt and tells nobody.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/loop.h"
#include "base/result.h"
#include "config/config.h"
#include "deliver/attempt_result.h"
#include "deliver/delivery.h"
#include "deliver/request.h"
#include "event/json.h"
#include "http/client.h"

namespace outrigger::deliver {

class PushTransport {
 public:
  // `id` is the event's.
  using OnResult = std::function<void(uint64_t id, AttemptResult result)>;

  // `config` and `json` outlive it.
  PushTransport(base::Loop& loop, const config::Subscription& config, http::Endpoint app,
                HandlerPath path, event::JsonReader& json, OnResult on_result);

  // Begins the attempt `number` (from 1); the call's id is in `delivery.call`. An error: the URL
  // asks for what the event does not have, and no try will change that.
  base::Result<void> Send(Delivery& delivery, uint32_t number);
  void Cancel(const Delivery& delivery) {
    if (delivery.call != 0) client_.Cancel(delivery.call);
  }

 private:
  base::Loop& loop_;
  const config::Subscription& config_;
  const HandlerPath path_;
  event::JsonReader& json_;
  OnResult on_result_;
  http::Client client_;
};

// What the outcome of a call means.
AttemptResult ReadResult(event::JsonReader& json, const http::Outcome& outcome, base::WallTime now);

}  // namespace outrigger::deliver
