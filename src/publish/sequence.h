// The events of one batch or stream, in order: after a failure that may pass, later events of the
// same topic and key are not tried, or a retry of the failed one would come after them.
//
// State of one request, of bounded size: where more keys failed than are remembered, every key
// counts as one of them. Thread: the flow's.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_set>

#include "event/event.h"

namespace outrigger::publish {

class Sequence {
 public:
  static constexpr size_t kMaxStopped = 10'000;

  void Stop(const event::Record& record) {
    if (record.key && stopped_.size() <= kMaxStopped) stopped_.insert(Name(record));
  }
  bool Stopped(const event::Record& record) const {
    if (stopped_.empty() || !record.key) return false;
    return stopped_.size() > kMaxStopped || stopped_.contains(Name(record));
  }

 private:
  // Two keys of one hash, in 10,000 of 2^64, would cost the later one a try: nothing is lost.
  static uint64_t Name(const event::Record& record) {
    const std::hash<std::string_view> hash;
    return hash(record.topic) * 31 + hash(*record.key);
  }

  std::unordered_set<uint64_t> stopped_;
};

}  // namespace outrigger::publish
