// The app's port: which request is which, who may send it, and how its body becomes events.
//
//   POST /v1/events           one event, a batch or NDJSON, as Content-Type says
//
//   POST /v1/events/{type}    the data alone
//
//   POST /v1/topics/{topic}   a raw record, where http.rawTopics allows it
//
//   GET  /health/kafka
//
// Thread: the flow's loop. Lifetime: outlives the server that it is the handler of. Source:
// contract, "Publishing".
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/loop.h"
#include "config/config.h"
#include "http/server.h"
#include "publish/publisher.h"
#include "publish/rate.h"
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
  // `kafka_health`: the body of GET /health/kafka.
  Ingress(base::Loop& loop, Publisher& publisher, telemetry::Metrics& metrics,
          std::function<std::string()> kafka_health, IngressOptions options);

  // What the server calls.
  http::Handler handler();
  // From the next request on.
  void SetOptions(IngressOptions options);

 private:
  enum Endpoint : int { kEnvelope, kStructured, kBatch, kNdjson, kBinary, kType, kTopic, kHealth };

  http::Plan OnHead(const std::shared_ptr<http::Request>& request);
  http::Plan OnEvents(const std::shared_ptr<http::Request>& request, Ask ask);
  void OnRequest(const std::shared_ptr<http::Request>& request);
  void OnEvent(const std::shared_ptr<http::Request>& request, base::Result<event::Event> event);
  void OnTopic(const std::shared_ptr<http::Request>& request);
  base::Result<event::Event> ReadBinary(http::Request& request);
  base::Result<event::Event> ReadType(http::Request& request);
  // The glob of http.rawTopics that allows `topic`, or null.
  const std::string* RawTopic(std::string_view topic) const;

  base::Loop& loop_;
  Publisher& publisher_;
  telemetry::Metrics& metrics_;
  std::function<std::string()> kafka_health_;
  IngressOptions options_;
  Rate rate_;
  size_t busy_streams_ = 0;
};

}  // namespace outrigger::publish
