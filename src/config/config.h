// The whole configuration as plain values, with defaults. Immutable once loaded; a reload makes
// another.
//
// Field names, units and defaults are described in README.md of this folder.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/clock.h"
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
  std::string fingerprint;  // of what the files hold, as loaded; not to be shown

  bool operator==(const Security&) const = default;
  std::vector<std::string> files() const;  // those that are named
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
  // Whether a client that was made for the other one serves this one.
  bool SameClients(const Kafka& other) const {
    const auto all = [](const Kafka& k) {
      return std::tie(k.brokers, k.client_id, k.security, k.properties, k.producer_properties,
                      k.consumer_properties);
    };
    return all(*this) == all(other);
  }
};

struct Rate {
  double events = 0;  // a second
  double burst = 0;

  bool operator==(const Rate&) const = default;
};

struct Http {
  std::string listen = "127.0.0.1:8800";
  std::string unix_socket;  // empty: none
  std::string token_file;   // empty: no token asked for
  uint64_t max_body = 1 << 20;
  uint64_t max_header = 16 << 10;
  uint64_t max_bodies = 64 << 20;
  uint64_t max_answers = 32 << 20;
  uint64_t max_trailer = 8 << 10;
  uint32_t max_connections = 1024;
  Millis head_timeout{5000};
  Millis body_timeout{10000};
  Millis idle_timeout{60000};
  Millis ack_timeout{5000};
  std::optional<Rate> rate;
  std::vector<std::string> raw_topics;  // globs
};

// The store on the disk for accepted events that Kafka has not acknowledged yet.
struct Spool {
  std::string path;  // a folder, resolved; empty: none
  uint64_t max_bytes = 1 << 30;
  Millis after{250};  // how long an event waits for Kafka before it is written

  bool enabled() const { return !path.empty(); }
};

struct Ops {
  std::string listen = "[::]:8801";
};

struct Log {
  std::string level = "info";   // debug, info, warn, error
  std::string format = "json";  // json, text
};

struct Match {
  std::optional<Text> type, source, subject, version;    // globs
  std::vector<std::pair<std::string, Text>> headers;     // header.<name>
  std::vector<std::pair<std::string, Text>> extensions;  // extension.<name>
  std::vector<std::pair<std::string, Text>> data;        // data.<path>

  bool operator==(const Match&) const = default;
};

enum class Ack { kKafka, kDisk, kMemory };
enum class OnInvalid { kReject, kDeadLetter };
enum class RecordMode { kBinary, kStructured };
enum class RecordTime { kNow, kEvent };

struct Route {
  Place place;
  std::string path;  // "routes[3]"
  Match match;
  Text topic;               // a template
  std::optional<Text> key;  // a key rule
  bool key_required = false;
  bool continues = false;                             // `continue: true`
  std::vector<std::pair<std::string, Text>> headers;  // Kafka headers to add: name → template
  std::optional<Text> schemas;  // a folder, absolute or relative to the file; resolved
  OnInvalid on_invalid = OnInvalid::kReject;
  std::vector<std::pair<std::string, Text>> defaults;  // data path → raw JSON, or $now, $id
  std::string dead_letter;                             // empty: none
  RecordMode mode = RecordMode::kBinary;
  std::string version = "1.0";
  uint32_t max_topics = 100;
  bool tombstones = false;
  RecordTime timestamp = RecordTime::kNow;
  Ack ack = Ack::kKafka;
};

// Where a group without a committed offset starts.
struct StartFrom {
  enum class At { kEarliest, kLatest, kTime };

  At at = At::kEarliest;
  base::WallTime time{};  // of kTime

  bool operator==(const StartFrom&) const = default;
};

enum class Ordering { kKey, kPartition, kNone };
enum class DeliverMode { kBinary, kStructured, kRaw };

// The health check of the app.
struct AppHealth {
  std::string path;
  Millis interval{5000};
  Millis timeout{1000};
  uint32_t failures = 3;  // in a row

  bool operator==(const AppHealth&) const = default;
};

struct Deliver {
  Text url;  // a template; http://… or unix:/socket:/path
  DeliverMode mode = DeliverMode::kBinary;
  Millis timeout{10000};
  uint32_t concurrency = 64;
  std::vector<std::string> headers = {"*"};  // globs: the Kafka headers that are sent
  std::optional<AppHealth> health;

  bool operator==(const Deliver&) const = default;
};

struct Retry {
  uint32_t attempts = 5;
  Millis backoff_initial{200};
  Millis backoff_max{30000};

  bool operator==(const Retry&) const = default;
};

// When the app counts as degraded: so many failures over so many keys, and no success.
struct Circuit {
  uint32_t failures = 20;
  uint32_t keys = 5;
  Millis window{30000};
  Millis probe_initial{1000};
  Millis probe_max{30000};

  bool operator==(const Circuit&) const = default;
};

// As many subscriptions as can tell how far each is in the metadata of one commit.
inline constexpr size_t kMostInGroup = 32;

struct Subscription {
  Place place;
  std::string path;  // "subscriptions[3]"
  std::string name;
  std::vector<Text> topics;  // names, or regular expressions that start with ^
  std::string group;         // as given, or <groupId>.<name>, environment applied
  Match match;
  StartFrom start_from;
  std::string dead_letter;  // empty: none
  Ordering ordering = Ordering::kKey;
  Deliver deliver;
  Retry retry;
  Circuit circuit;
  Millis commit_interval{100};

  // Its position in the file does not count.
  bool operator==(const Subscription& other) const {
    const auto all = [](const Subscription& s) {
      return std::tie(s.name, s.topics, s.group, s.match, s.start_from, s.dead_letter, s.ordering,
                      s.deliver, s.retry, s.circuit, s.commit_interval);
    };
    return all(*this) == all(other);
  }
};

struct Config {
  std::string file;  // as named; empty: the built-in defaults
  // A hash in hex of the file, its schemas and the environment that overrides it.
  std::string generation;
  Kafka kafka;
  Http http;
  Spool spool;
  Ops ops;
  Log log;
  std::vector<Route> routes;
  std::vector<Subscription> subscriptions;
  std::optional<uint64_t> memory_budget;  // absent: by the container's limit
  Place memory_budget_place;
  Millis rebalance_drain{5000};  // how long a revoked partition may settle
  Millis shutdown_budget{25000};
};

}  // namespace outrigger::config
