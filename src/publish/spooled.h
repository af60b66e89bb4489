// What is kept of a record of the spool while the producer has it, and how records become rows.
//
// Plain values.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "base/clock.h"
#include "kafka/record_sink.h"
#include "publish/drain_plan.h"
#include "store/row.h"

namespace outrigger::publish {

struct Spooled {
  int64_t id = 0;
  std::string event_id;
  std::string source;  // empty: the id was not chosen by the caller
  int32_t target = 0;
  uint64_t fingerprint = 0;
  std::string topic;
  std::string dead_letter;
  size_t bytes = 0;
  int64_t accepted_ms = 0;

  static Spooled Of(const store::Row& row) {
    return {.id = row.id,
            .event_id = row.event_id,
            .source = row.source,
            .target = row.target,
            .fingerprint = row.fingerprint,
            .topic = row.record.topic,
            .dead_letter = row.dead_letter,
            .bytes = row.bytes(),
            .accepted_ms = row.accepted_ms};
  }
};

struct Pending;

// The row of a record that is the event's `index`th; without its id.
store::Row RowOf(event::Record record, const Pending& event, size_t index, base::WallTime now);

inline Lane LaneOf(const kafka::RecordSink& sink, const event::Record& record) {
  const bool ordered = record.key || record.partition >= 0;
  return {record.topic, ordered ? sink.partition(record) : Lane::kAny};
}

}  // namespace outrigger::publish
