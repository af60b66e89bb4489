// The producer: records in, one report for each, in order of partition, over leader changes,
// outages and fatal errors.
//
// acks=all, idempotent. A queue for each partition holds what waits; at most one undecided batch of
// a partition is in librdkafka's hands, and the next forms meanwhile. A refused batch is sent again
// record by record while its partition waits; only a record refused alone is reported as refused.
// No timer drops a record: it is reported when Kafka acked it, refused it for good, or Close gave
// up. After a fatal error, whatever its code, the handle is replaced by a new one that gets what
// was not acked: at once when the old one worked, else after 1 s to 30 s; so it is where a batch is
// undecided for long although its partition has a leader. While Kafka denies the client the right
// to produce at all, records are refused as kUnauthorized.
//
// Thread: the loop's; reports come on it too, never inside Produce. Lifetime: Close before
// destruction, or what waits is dropped without a report. Sources: librdkafka 2.8 INTRODUCTION.md
// (idempotent producer, fatal errors); KIP-98, KIP-360; murmur2 as in Kafka's
// org.apache.kafka.common.utils.Utils.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/loop.h"
#include "base/result.h"
#include "config/config.h"
#include "event/event.h"
#include "kafka/connection.h"
#include "kafka/record_sink.h"

namespace outrigger::kafka {

// What a record takes at the least while it waits, with all that is kept for it.
inline constexpr size_t kLeastMemory = 1024;

struct ProducerOptions {
  config::Kafka kafka;
  // Bounds of what waits and is in flight; no topic may hold more than half of either. The bytes
  // are those of the memory that it really takes, here and where it is waited for.
  size_t max_records = SIZE_MAX;
  size_t max_bytes = 64 << 20;
  // Whoever sends records keeps what is not acknowledged when the producer is closed.
  bool kept_on_disk = false;
  // Sooner than http.ackTimeout's default, so that the answer is "not taken" and not "unknown".
  std::chrono::milliseconds unknown_topic_after{4500};
  // A batch undecided for so long gets a new client, if its partition has a leader; after twice
  // that the next one, up to ten minutes.
  std::chrono::milliseconds stalled_after{20'000};
};

class Producer {
 public:
  // Fails only on a wrong property or unreadable secret. Needs no broker.
  static base::Result<std::unique_ptr<Producer>> Create(base::Loop& loop, ProducerOptions options);
  ~Producer();

  // Whether there is room for the record now: a Produce that follows at once is not refused as
  // kQueueFull. What could not have room at any time is kTooLarge.
  std::optional<Refusal> Admit(const event::Record& record) const;

  // Takes the record. `on_report` is called exactly once, unless the producer is destroyed first.
  const Entry* Produce(event::Record record, OnReport on_report);

  // Other brokers, credentials or properties: a new client takes over when what is under way is
  // decided, or after a second, and gets what is not acknowledged, in order.
  void SetKafka(const config::Kafka& kafka);
  void SetMaxBytes(size_t max_bytes);  // as ProducerOptions::max_bytes

  // This producer, which outlives it.
  RecordSink sink();

  // What is known of the brokers, on the loop's thread; `on_change` when it changes.
  const Connection& connection() const;
  void OnConnectionChange(std::function<void(const Connection&)> on_change);

  size_t waiting_records() const;  // accepted and not reported yet
  size_t waiting_bytes() const;
  size_t topics() const;      // remembered, with what is known of them
  uint64_t rebuilds() const;  // handles replaced after a fatal error or a stall

  // Refuses new records, lets the rest be reported, and calls `on_done` when none is left or
  // `budget` is over (what is left is then reported as kTimeout).
  void Close(std::chrono::milliseconds budget, std::function<void()> on_done);

  // For tests: the librdkafka handle (rd_kafka_t*), to raise a fatal error on it.
  void* native_handle() const;

 private:
  class Core;
  explicit Producer(std::unique_ptr<Core> core);
  std::unique_ptr<Core> core_;
};

}  // namespace outrigger::kafka
