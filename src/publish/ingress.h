// The app's port: which request is which, who may send it, and how its body becomes events.
//
//   POST /v1/events           one event, a batch or NDJSON, as Content-Type says
//
//   POST /v1/events/{type}    the data alone
//
//   POST /v1/topics/{topic}   a raw record, where http.rawTopics allows it
//
//   GET  /v1/events/{id}      what became of an event
//
//   …    /v1/spool…           what waits in the spool and its quarantine, and changes by hand
//
//   GET  /health/kafka
//
// Thread: the flow's loop. Lifetime: outlives the server that it is the handler of. Source:
// contract, "Publishing".
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/loop.h"
#include "config/config.h"
#include "http/server.h"
#include "publish/ask.h"
#include "publish/endpoint.h"
#include "publish/publisher.h"
#include "publish/rate.h"
#include "publish/request_form.h"
#include "telemetry/metrics.h"

namespace outrigger::publish {

struct IngressOptions {
  uint64_t max_body = 1 << 20;          // of an event; a batch may have 16 times that
  std::string token;                    // empty: none is asked for
  std::vector<std::string> raw_topics;  // globs
  std::optional<config::Rate> rate;
};

class Ingress {
 public:
  // `spool` null: there is none. `kafka_health`: the body of GET /health/kafka.
  Ingress(base::Loop& loop, Publisher& publisher, Spool* spool, telemetry::Metrics& metrics,
          std::function<std::string()> kafka_health, IngressOptions options);

  // What the server calls.
  http::Handler handler();
  // From the next request on.
  void SetOptions(IngressOptions options);

 private:
  // An endpoint, and what chooses the form of a request to it.
  struct Entry {
    Endpoint endpoint;
    http::Plan (Ingress::*choose)(const std::shared_ptr<http::Request>& request);
  };
  static const std::array<Entry, 11> kEntries;

  Intake intake() { return {loop_, publisher_, rate_, spool_ != nullptr}; }
  http::Plan OnHead(const std::shared_ptr<http::Request>& request);
  http::Plan ChooseHealth(const std::shared_ptr<http::Request>& request);
  http::Plan ChooseStatus(const std::shared_ptr<http::Request>& request);
  http::Plan ChooseSpool(const std::shared_ptr<http::Request>& request);
  http::Plan ChooseEvents(const std::shared_ptr<http::Request>& request);
  http::Plan ChooseType(const std::shared_ptr<http::Request>& request);
  http::Plan ChooseTopic(const std::shared_ptr<http::Request>& request);
  http::Plan ChooseNdjson(const std::shared_ptr<http::Request>& request, Ask ask);
  // 401 where the request has no token and needs one.
  std::optional<http::Plan> CheckToken(const http::Head& head) const;
  // What every POST has to have: a token, the length of its body, a query that is known.
  tl::expected<Ask, http::Plan> CheckPost(const http::Head& head, const Endpoint& endpoint) const;

  base::Loop& loop_;
  Publisher& publisher_;
  telemetry::Metrics& metrics_;
  IngressOptions options_;
  Rate rate_;
  size_t busy_streams_ = 0;
  // One for all requests of the form; a stream has one of its own.
  const std::shared_ptr<RequestForm> health_, status_, spool_, envelope_, structured_, binary_,
      typed_, batch_, raw_;
};

}  // namespace outrigger::publish
