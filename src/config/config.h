// The whole configuration as plain values, defaults filled in. Immutable once loaded; a reload makes another.
//
// Field names, units and defaults: the config reference in README.md, printed by `outrigger schema`.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/problem.h"

namespace outrigger::config {

using Millis = std::chrono::milliseconds;
using Properties = std::map<std::string, Text>;  // librdkafka names

struct Security {
  std::string protocol = "PLAINTEXT";  // PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL
  std::string mechanism;               // PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER
  std::string username, username_file;
  std::string password, password_file;
  std::string ca_file, cert_file, key_file, key_password_file;

  bool operator==(const Security&) const = default;
};

struct Kafka {
  bool enabled = true;
  std::vector<std::string> brokers = {"localhost:9092"};
  std::string client_id = "outrigger";
  std::string group_id = "outrigger";
  bool required = false;
  Security security;
  Properties properties, producer_properties, consumer_properties;

  // brokers: [embedded]
  bool embedded() const { return brokers.size() == 1 && brokers.front() == "embedded"; }
};

struct Rate {
  double events = 0;  // a second
  double burst = 0;
};

struct Http {
  std::string listen = "127.0.0.1:8800";
  std::string unix_socket;  // empty: none
  std::string token_file;   // empty: no token asked for
  uint64_t max_body = 1 << 20;
  uint64_t max_header = 16 << 10;
  uint64_t max_trailer = 8 << 10;
  uint32_t max_connections = 1024;
  Millis head_timeout{5000};
  Millis body_timeout{10000};
  Millis idle_timeout{60000};
  Millis ack_timeout{5000};
  std::optional<Rate> rate;
  std::vector<std::string> raw_topics;  // globs
};

struct Ops {
  std::string listen = "0.0.0.0:8801";
};

struct Log {
  std::string level = "info";   // debug, info, warn, error
  std::string format = "json";  // json, text
};

struct Match {
  std::optional<Text> type, source, subject, version;    // globs
  std::vector<std::pair<std::string, Text>> headers;     // header.<name>
  std::vector<std::pair<std::string, Text>> data;        // data.<path>
};

enum class Ack { kKafka, kDisk, kMemory };
enum class OnInvalid { kReject, kDeadLetter };
enum class RecordMode { kBinary, kStructured };

struct Route {
  Place place;
  std::string path;  // "routes[3]"
  Match match;
  Text topic;                // a template
  std::optional<Text> key;   // a key rule
  bool key_required = false;
  bool continues = false;    // `continue: true`
  std::vector<std::pair<std::string, Text>> headers;  // Kafka headers to add: name → template
  std::optional<Text> schemas;                        // a folder, absolute or relative to the file; resolved
  OnInvalid on_invalid = OnInvalid::kReject;
  std::vector<std::pair<std::string, Text>> defaults;  // data path → raw JSON, or $now, $id
  std::string dead_letter;                             // empty: none
  RecordMode mode = RecordMode::kBinary;
  std::string version = "1.0";
  uint32_t max_topics = 100;
  bool tombstones = false;
  Ack ack = Ack::kKafka;
};

struct Config {
  std::string file;        // as named; empty: the built-in defaults
  std::string generation;  // hex hash of the file's bytes and the environment that overrides it
  Kafka kafka;
  Http http;
  Ops ops;
  Log log;
  std::vector<Route> routes;
  Millis shutdown_budget{25000};
};

}  // namespace outrigger::config
