// Where a flow sends its records, and what it is told of each.
//
// Thread: the loop's. Lifetime: what is behind it outlives it.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>

#include "base/result.h"
#include "event/event.h"
#include "kafka/connection.h"

namespace outrigger::kafka {

// Where a record is in Kafka.
struct Stored {
  int32_t partition = -1;
  int64_t offset = -1;

  auto operator<=>(const Stored&) const = default;
};

// Why a record is not in Kafka. The names are the metric's `reason` values.
enum class Reason {
  kTooLarge,
  kUnknownTopic,
  kUnauthorized,
  kTimeout,
  kBroker,
  kInvalid,
  kQueueFull
};

struct Refusal {
  Reason reason = Reason::kBroker;
  base::Error error;
  bool possibly_stored = false;  // true: a retry could make a duplicate (outcome: unknown)
  bool memory = false;           // ProducerOptions::max_bytes is what there was no room in
};

using Report = tl::expected<Stored, Refusal>;
// `record`, when it was refused, is the record as it was given, for whoever sends it elsewhere (a
// dead letter topic); it may be moved from. Of one that Kafka has the headers are gone.
using OnReport = std::function<void(const Report&, event::Record& record)>;

struct Entry;  // a record from `send` to the end of its report

// Empty: records are discarded on purpose.
struct RecordSink {
  // Takes the record; `on_report` comes once, and not inside the call.
  std::function<const Entry*(event::Record, OnReport)> send = nullptr;
  // The record as it was sent.
  std::function<event::Record(const Entry&)> copy = nullptr;
  // Where the record would go now; -1: to any partition, or the topic's partitions are not known.
  std::function<int32_t(const event::Record&)> partition = nullptr;
  // Why there is no room for the record now; nothing: a send that follows at once has room.
  std::function<std::optional<Refusal>(const event::Record&)> admit = nullptr;
  // Whether what is sent gets on its way, and why not.
  std::function<const Connection&()> connection = nullptr;

  explicit operator bool() const { return send != nullptr; }
};

}  // namespace outrigger::kafka
