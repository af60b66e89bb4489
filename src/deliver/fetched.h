// A record as it was fetched, and the event that it carries: one object in memory, however many
// subscriptions of the group have it.
//
// Thread: the deliver flow's. Lifetime: shared by the deliveries of the record. The event is read
// when the first asks for it.
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "base/clock.h"
#include "deliver/read_record.h"
#include "event/json.h"
#include "kafka/consumer.h"

namespace outrigger::deliver {

class Fetched {
 public:
  Fetched(kafka::Consumed fetched, base::TimePoint now) : record(std::move(fetched)), at(now) {}

  const kafka::Consumed record;
  const base::TimePoint at;

  // The event; for `mode: raw`, of which nobody looks into the value, with every header.
  const ReadEvent& Read(event::JsonReader& json) {
    if (!read_) read_ = ReadRecord(json, record);
    return *read_;
  }
  const ReadEvent& Raw() {
    if (!raw_) raw_ = ReadEvent{RawEvent(record)};
    return *raw_;
  }
  // Nobody delivers it any more: of the events only the ids are kept.
  void DropEvents() {
    for (auto* each : {&read_, &raw_}) {
      if (!*each) continue;
      event::Event left;
      left.id = std::move((*each)->event.id);
      (*each)->event = std::move(left);
    }
  }

  // What it holds in memory.
  size_t bytes() const {
    return record.bytes() + (read_ ? read_->event.bytes() : 0) + (raw_ ? raw_->event.bytes() : 0);
  }

  // The Backlog's own.
  uint32_t holders = 0;  // deliveries that wait for an app
  size_t counted = 0;    // bytes

 private:
  std::optional<ReadEvent> read_, raw_;
};

}  // namespace outrigger::deliver
