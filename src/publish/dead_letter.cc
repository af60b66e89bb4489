#include "publish/dead_letter.h"

#include <utility>

#include "event/dead_letter.h"
#include "publish/answer.h"

namespace outrigger::publish {

event::Record DeadLetter(event::Record record, std::string dead_letter_topic, std::string reason,
                         std::string detail, RejectionReason rejected, base::WallTime now) {
  event::TellDeadLetter(record.headers, {.reason = reason,
                                         .status = StatusOf(rejected),
                                         .body = detail,
                                         .attempts = 1,
                                         .first = now,
                                         .last = now,
                                         .topic = record.topic});
  record.topic = std::move(dead_letter_topic);
  record.partition = -1;
  record.timestamp_ms = 0;  // an old one would let retention take the record at once
  return record;
}

const char* DeadLetterReason(const kafka::Refusal& why) {
  return why.reason == kafka::Reason::kTooLarge ? "too_large" : "refused";
}

event::Record DeadLetter(event::Record record, std::string dead_letter_topic,
                         const kafka::Refusal& why, base::WallTime now) {
  return DeadLetter(std::move(record), std::move(dead_letter_topic), DeadLetterReason(why),
                    why.error.message, ToRejection(why).reason, now);
}

}  // namespace outrigger::publish
