// Handles of metric series, looked up once and counted by often.
//
// Thread: Increment, Set and Observe are lock-free and may be called from any thread. Lifetime: a
// handle lasts as long as the Metrics that gave it; what Metrics::Remove takes away until then.
#pragma once

#include <array>
#include <string>

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
  prometheus::Counter* get() const { return counter_; }

 private:
  prometheus::Counter* counter_ = nullptr;
};

class Gauge {
 public:
  Gauge() = default;
  explicit Gauge(prometheus::Gauge* gauge) : gauge_(gauge) {}
  void Set(double value) const;
  double value() const;
  prometheus::Gauge* get() const { return gauge_; }

 private:
  prometheus::Gauge* gauge_ = nullptr;
};

class Histogram {
 public:
  Histogram() = default;
  explicit Histogram(prometheus::Histogram* histogram) : histogram_(histogram) {}
  void Observe(double seconds) const;
  prometheus::Histogram* get() const { return histogram_; }

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

enum class ConsumerOutcome {
  kDelivered,
  kRetried,
  kDeadLettered,
  kDropped,
  kDuplicate,
  kFiltered,
  kCount
};
enum class ConsumerReason {
  kTimeout,
  kRefused,
  kStatus3xx,
  kStatus4xx,
  kStatus5xx,
  kUndecodable,
  kCircuit,
  kCount
};

enum class LostReason { kDeleted, kTruncated, kCount };

// The series of one subscription and topic.
struct ConsumerTopic {
  std::array<Counter, static_cast<size_t>(ConsumerOutcome::kCount)> events;
  std::array<Counter, static_cast<size_t>(ConsumerReason::kCount)> failures;
  std::array<Counter, static_cast<size_t>(LostReason::kCount)> lost;  // records, before we had them

  const Counter& operator[](ConsumerOutcome outcome) const {
    return events[static_cast<size_t>(outcome)];
  }
  const Counter& operator[](ConsumerReason reason) const {
    return failures[static_cast<size_t>(reason)];
  }
  const Counter& operator[](LostReason reason) const { return lost[static_cast<size_t>(reason)]; }
};

// The series of one subscription.
struct ConsumerSubscription {
  Histogram latency;  // from fetched to settled by the app's answer
  Gauge circuit_open;
  Gauge in_flight;
  Counter rebuilds;  // consumer clients made again
  Counter commits_refused;
};

enum class SpoolOutcome { kAcked, kAlreadyInKafka, kDeadLettered, kQuarantined, kDropped, kCount };
enum class SpoolError { kFull, kDiskFull, kIo, kDamaged, kCount };

// The series of the spool. Handles that no Metrics gave count nothing, as without a spool.
struct SpoolMetrics {
  Gauge records, bytes;         // that wait for Kafka
  Gauge file_bytes, max_bytes;  // on the disk; spool.maxBytes
  Gauge oldest_timestamp;       // when the oldest was accepted, Unix time in seconds; 0: none waits
  Gauge quarantined;            // records that wait for a person
  std::array<Counter, static_cast<size_t>(SpoolOutcome::kCount)> left{};
  std::array<Counter, static_cast<size_t>(SpoolError::kCount)> errors{};
  Counter salvaged, lost;  // records of a damaged file
  Histogram latency;       // of those that Kafka acknowledged
  Histogram commit;        // one transaction, fsync included

  const Counter& operator[](SpoolOutcome outcome) const {
    return left[static_cast<size_t>(outcome)];
  }
  const Counter& operator[](SpoolError error) const { return errors[static_cast<size_t>(error)]; }
};

// The series of one assigned partition; they go with it.
struct ConsumerPartition {
  Gauge lag, lag_seconds, oldest_unsettled_age;
};

}  // namespace outrigger::telemetry
