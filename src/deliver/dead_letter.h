// A record that could not be delivered, as it is written to its dead-letter topic: the original
// bytes, key and headers, and its story beside them (event/dead_letter.h).
//
// Pure. Thread: the deliver flow's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "deliver/verdict.h"
#include "event/dead_letter.h"
#include "event/event.h"
#include "kafka/consumer.h"

namespace outrigger::deliver {

// A closed set; it is what people filter dead-letter records by.
enum class DeadLetterReason {
  kTimeout,
  kRefused,  // the connection was cut, at the last attempt
  kStatus,
  kUndecodable,
  kDeadLetter,  // by the app's word
};
std::string_view Label(DeadLetterReason reason);

// The reason where the last attempt had that verdict.
DeadLetterReason ReasonOf(const Verdict& verdict);

// So many times a record may have been a dead-letter record: beyond that it goes round.
inline constexpr uint64_t kMaxGeneration = 10;

// What happened to the event.
struct Failure {
  DeadLetterReason reason = DeadLetterReason::kStatus;
  int status = 0;         // 0: there was no answer, and no header
  std::string_view body;  // the answer's, or what is wrong with the record; cut to 1 KiB
  uint32_t attempts = 0;
  base::WallTime first;  // the first attempt's time, and the last's
  base::WallTime last;
  std::string_view subscription;
};

// `record` says where the event was: of a dead-letter record that is delivered again, the caller
// puts the origin's topic, partition and offset there, not the dead-letter topic's.
event::Record ToDeadLetter(const kafka::Consumed& record, const Failure& failure,
                           std::string dead_letter_topic,
                           event::DeadLetterDetail detail = event::DeadLetterDetail::kWhole);

}  // namespace outrigger::deliver
