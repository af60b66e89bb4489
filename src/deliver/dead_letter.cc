#include "deliver/dead_letter.h"

#include <utility>

namespace outrigger::deliver {

std::string_view Label(DeadLetterReason reason) {
  switch (reason) {
    case DeadLetterReason::kTimeout:
      return "timeout";
    case DeadLetterReason::kRefused:
      return "refused";
    case DeadLetterReason::kStatus:
      return "status";
    case DeadLetterReason::kUndecodable:
      return "undecodable";
    case DeadLetterReason::kDeadLetter:
      return "dead_letter";
  }
  return "";
}

DeadLetterReason ReasonOf(const Verdict& verdict) {
  if (verdict.action == Verdict::Action::kDeadLetter)
    return verdict.reason == Reason::kUndecodable ? DeadLetterReason::kUndecodable
                                                  : DeadLetterReason::kDeadLetter;
  if (verdict.reason == Reason::kTimeout) return DeadLetterReason::kTimeout;
  if (verdict.reason == Reason::kRefused) return DeadLetterReason::kRefused;
  return DeadLetterReason::kStatus;
}

event::Record ToDeadLetter(const kafka::Consumed& record, const Failure& failure,
                           std::string dead_letter_topic, event::DeadLetterDetail detail) {
  event::Record out;
  out.topic = std::move(dead_letter_topic);
  out.key = record.key;
  out.value = record.value;
  out.headers = record.headers;
  event::TellDeadLetter(out.headers,
                        {.reason = Label(failure.reason),
                         .status = failure.status,
                         .body = failure.body,
                         .attempts = failure.attempts,
                         .first = failure.first,
                         .last = failure.last,
                         .topic = record.topic,
                         .partition = record.partition,
                         .offset = record.offset,
                         .timestamp_ms = record.timestamp_ms,
                         .subscription = failure.subscription},
                        detail);
  return out;
}

}  // namespace outrigger::deliver
