// The producer metrics of every topic label: the topic of a route as the configuration has it, or
// the glob of `http.rawTopics` that allows a raw record.
//
// Thread: the flow's. Lifetime: series stay valid as long as this object.
#pragma once

#include <string>
#include <unordered_map>

#include "telemetry/metrics.h"

namespace outrigger::publish {

class TopicSeries {
 public:
  explicit TopicSeries(telemetry::Metrics& metrics) : metrics_(metrics) {}

  const telemetry::ProducerTopic& Of(const std::string& label) {
    const auto found = by_label_.find(label);
    if (found != by_label_.end()) return found->second;
    return by_label_.emplace(label, metrics_.Producer(label)).first->second;
  }

 private:
  telemetry::Metrics& metrics_;
  std::unordered_map<std::string, telemetry::ProducerTopic> by_label_;
};

}  // namespace outrigger::publish
