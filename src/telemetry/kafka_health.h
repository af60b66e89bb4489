// The body of GET /health/kafka, the same on both ports.
#pragma once

#include <string>

namespace outrigger::telemetry {

inline std::string KafkaHealthJson(bool enabled, bool connected) {
  const auto text = [](bool value) { return value ? "true" : "false"; };
  return std::string("{\"kafka\":{\"enabled\":") + text(enabled) +
         ",\"connected\":" + text(connected) + "}}";
}

}  // namespace outrigger::telemetry
