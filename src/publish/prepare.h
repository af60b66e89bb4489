// One event and the rule that took it → the record for Kafka, or why not.
//
// Pure, with the time as an argument; used by the publisher and, without a Kafka, by
// `explain`. Thread: the flow's.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "event/event.h"
#include "event/json.h"
#include "publish/rejection.h"
#include "publish/routes.h"

namespace outrigger::publish {

struct Prepared {
  event::Record record;
  bool keyed = false;
};

// Why an event can't become a record.
struct Refused {
  Rejection rejection;
  // The event as it would be in the route's dead-letter topic, where `onInvalid: deadLetter` asks
  // for it.
  std::optional<event::Record> dead_letter = {};
};

// Fills id, source, time and version where they are absent. `version` is taken from the data's own.
base::Result<void> Complete(event::Event& event, const std::string& source, base::WallTime now);

// The record for `event` by `rule`. The event is taken by value: callers copy when more than one
// rule took it.
tl::expected<Prepared, Refused> Prepare(const Rule& rule, event::Event event, base::WallTime now);

// Whether Kafka takes `topic` as a name ([a-zA-Z0-9._-]{1,249}, not "." or "..") and it is not an
// internal one (__*). Empty: fine; else what is wrong.
std::string TopicNameProblem(std::string_view topic);

}  // namespace outrigger::publish
