// A record as it is in a dead-letter topic: key, value and headers unchanged, and its history
// beside them.
//
// Source: src/deliver/README.md, "Dead-letter records"; what applies to an event that was
// never consumed.
#pragma once

#include <string>

#include "base/clock.h"
#include "event/event.h"
#include "publish/rejection.h"

namespace outrigger::publish {

// `reason` is one of the closed set (schema, too_large, …); `detail` says it for people, cut to 1
// KiB; `rejected` is what its caller is told.
event::Record DeadLetter(event::Record record, std::string dead_letter_topic, std::string reason,
                         std::string detail, RejectionReason rejected, base::WallTime now);

// Of a record that Kafka rejected for good: the reason, and the record.
const char* DeadLetterReason(const kafka::Refusal& why);
event::Record DeadLetter(event::Record record, std::string dead_letter_topic,
                         const kafka::Refusal& why, base::WallTime now);

}  // namespace outrigger::publish
