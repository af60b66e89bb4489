// Config files as texts for tests, and what was found in them.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "config/load.h"

namespace outrigger::test {

inline config::Environment NoEnvironment() {
  return [](const char*) { return std::nullopt; };
}

inline config::Environment Variables(std::map<std::string, std::string> variables) {
  return [variables = std::move(variables)](const char* name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
}

inline const std::string kHeader = "apiVersion: outrigger/v1\nkind: Sidecar\n";  // lines 1 and 2
inline const std::string kRoute = "routes:\n  - topic: all.events\n";

inline config::Loaded LoadYaml(std::string_view yaml) {
  return config::LoadText(yaml, "c.yaml", NoEnvironment());
}

// With the two first lines and one route behind, so that only `yaml` can be wrong.
inline config::Loaded LoadBetween(const std::string& yaml) {
  return LoadYaml(kHeader + yaml + kRoute);
}

inline std::string Shown(const config::Loaded& loaded) {
  std::string shown;
  for (const auto& problem : loaded.problems) shown += problem.text() + "\n";
  return shown;
}

// Most fields of a file of this version, without errors.
inline const std::string kGoodFile = R"(apiVersion: outrigger/v1
kind: Sidecar
kafka:
  brokers: [kafka-0:9092, "kafka-1:9092"]
  clientId: orders
  required: true
  properties:
    socket.keepalive.enable: true
  producer:
    properties: {compression.type: lz4}
http:
  listen: "[::1]:8800"
  maxBody: 2MiB
  maxHeader: 32KiB
  headTimeout: 1m30s
  ackTimeout: 250ms
  rate: {events: 5000, burst: 10000}
  rawTopics: ["raw.*"]
ops:
  listen: 0.0.0.0:8801
log: {level: debug, format: text}
shutdown:
  budget: 10s
routes:
  - match: {type: "user.*", data.tenantId: t1, header.region: eu, extension.tenant: t}
    topic: "{data.tenantId}.user.events"
    key: data.userId
    keyRequired: true
    continue: true
    headers: {team: "{source}"}
    defaults: {data.at: $now, data.n: 1, data.list: [1, two]}
    deadLetter: user.dead
    mode: structured
    version: "2.0"
    maxTopics: 7
    tombstones: true
    timestamp: time
    ack: memory
  - topic: all.events
)";

}  // namespace outrigger::test
