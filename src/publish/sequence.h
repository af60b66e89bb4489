// Plain state of one request. Thread: the flow's.
#pragma once

#include <string>
#include <unordered_set>

#include "event/event.h"

namespace outrigger::publish {

// The events of one batch or stream, in order: after a failure that may pass, later events of the
// same topic and key are not tried, or a retry of the failed one would come after them.
class Sequence {
 public:
  void Stop(const event::Record& record) {
    if (record.key) stopped_.insert(Name(record));
  }
  bool Stopped(const event::Record& record) const {
    return !stopped_.empty() && record.key && stopped_.contains(Name(record));
  }

 private:
  static std::string Name(const event::Record& record) { return record.topic + '\n' + *record.key; }

  std::unordered_set<std::string> stopped_;
};

}  // namespace outrigger::publish
