// Every metric Outrigger has, in one list. Names and labels are API (README.md, "Metrics").
//
// Thread: looking a series up takes a lock and is done when the config changes; Increment and
// Observe are lock-free and may be called from any thread. Lifetime: a handle lasts as long as its
// Metrics.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
}  // namespace prometheus

namespace outrigger::telemetry {

class Counter {
 public:
  Counter() = default;
  explicit Counter(prometheus::Counter* counter) : counter_(counter) {}
  void Increment(double by = 1) const;
  double value() const;

 private:
  prometheus::Counter* counter_ = nullptr;
};

class Gauge {
 public:
  Gauge() = default;
  explicit Gauge(prometheus::Gauge* gauge) : gauge_(gauge) {}
  void Set(double value) const;
  double value() const;

 private:
  prometheus::Gauge* gauge_ = nullptr;
};

class Histogram {
 public:
  Histogram() = default;
  explicit Histogram(prometheus::Histogram* histogram) : histogram_(histogram) {}
  void Observe(double seconds) const;

 private:
  prometheus::Histogram* histogram_ = nullptr;
};

enum class ProducerOutcome { kAcked, kSpooled, kFailed, kDiscarded, kDeadLettered, kCount };
enum class ProducerReason {
  kNoRoute,
  kInvalid,
  kTooLarge,
  kUnknownTopic,
  kUnauthorized,
  kTimeout,
  kBroker,
  kSpoolFull,
  kDisk,
  kCount
};

// The series of one topic label (a topic of the config, or a template as written).
struct ProducerTopic {
  std::array<Counter, static_cast<size_t>(ProducerOutcome::kCount)> events;
  std::array<Counter, static_cast<size_t>(ProducerReason::kCount)> failures;
  Histogram latency;  // accepted to acked
  Counter unkeyed;    // events without a key where the rule names one

  const Counter& operator[](ProducerOutcome outcome) const {
    return events[static_cast<size_t>(outcome)];
  }
  const Counter& operator[](ProducerReason reason) const {
    return failures[static_cast<size_t>(reason)];
  }
};

class Metrics {
 public:
  Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;
  ~Metrics();

  // outrigger_producer_*{topic}. The label "none" is for events that no route took.
  ProducerTopic Producer(const std::string& topic_label);
  // outrigger_http_requests_total{endpoint,code}; cached, cheap for a known pair.
  Counter HttpRequests(std::string_view endpoint, int code);
  // outrigger_config_reloads_total{outcome="applied"|"refused"}
  Counter ConfigReloads(bool applied);
  Gauge KafkaConnected();          // outrigger_kafka_connected
  Counter ProducerRebuilds();      // outrigger_producer_rebuilds_total
  Gauge ProducerWaitingRecords();  // outrigger_producer_waiting_events
  Gauge ProducerWaitingBytes();    // outrigger_producer_waiting_bytes
  Counter LoopExceptions();        // outrigger_loop_exceptions_total

  // The text exposition (version 0.0.4), process_* included. Any thread; not a flow's.
  std::string Text() const;

 private:
  struct Families;
  std::unique_ptr<Families> families_;
};

}  // namespace outrigger::telemetry
