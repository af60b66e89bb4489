// What a request's head says of each of its events, whatever the form of its body.
//
// A plain value; thread: the flow's. Sources: contract "Publishing"; RFC 7240 (Prefer); W3C trace
// context, sections 3.2 and 3.3.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "event/event.h"
#include "http/request.h"
#include "publish/sequence.h"

namespace outrigger::publish {

struct Ask {
  std::optional<config::Ack> ack = {};            // over the rule's
  std::shared_ptr<Sequence> sequence = {};        // of a batch or stream
  std::string id = {};                            // Idempotency-Key, of a single event
  std::vector<event::Header> headers = {};        // kafka-<name>
  std::string traceparent = {}, tracestate = {};  // of the request
  bool async = false;                             // it is kDisk as of Prefer: respond-async

  // What it adds to an event in memory, at most.
  size_t bytes() const {
    return event::BytesOf(headers) + id.size() + traceparent.size() + tracestate.size();
  }

  // Gives `event` what it does not say itself. Its own trace is never mixed with the request's.
  void Complete(event::Event& event) const;
  // The same for a raw record.
  void Complete(event::Record& record) const;
};

// `raw`: of a raw record, which may have a kafka-content-type. `spool`: there is one; without it
// Prefer: respond-async can't be met and is ignored. What can't be read is an error.
base::Result<Ask> ReadAsk(const http::Head& head, bool raw, bool spool);

}  // namespace outrigger::publish
