// A record that could not be delivered, as it stands in its dead letter topic: the original bytes,
// key and headers, and its story beside them.
//
// Pure. Headers outrigger-error-* of an earlier time are replaced, so that the story is the last
// one; outrigger-error-generation counts how many times there was one, and outrigger-redrives (the
// redrive's own count) is kept.
// Thread: the deliver flow's. Source: reference.md, "Dead letter headers".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "deliver/verdict.h"
#include "event/event.h"
#include "kafka/consumer.h"

namespace outrigger::deliver {

// A closed set; it is what people filter letters by.
enum class LetterReason {
  kTimeout,
  kRefused,  // the connection was cut, at the last attempt
  kStatus,
  kUndecodable,
  kDeadLetter,  // by the app's word
  kTooLarge,
  kExpired,
  kSchema,
};
std::string_view Label(LetterReason reason);

// The reason of a letter whose last attempt had that verdict.
LetterReason ReasonOf(const Verdict& verdict);

// So many times a record may have been a dead-letter record: beyond that it goes round.
inline constexpr uint64_t kMaxGeneration = 10;
// How many times it was, as its headers say.
uint64_t Generation(const kafka::Consumed& record);

// How much of its story a dead-letter record tells, where the topic does not take it whole.
enum class Story {
  kWhole,
  kWithoutBody,
  kOrigin,      // reason, topic, partition, offset and generation
  kGeneration,  // what ends a loop
};

struct Letter {
  LetterReason reason = LetterReason::kStatus;
  int status = 0;         // 0: there was no answer, and no header
  std::string_view body;  // the answer's, or what is wrong with the record; cut to 1 KiB
  uint32_t attempts = 0;
  base::WallTime first;  // the first attempt's time, and the last's
  base::WallTime last;
  std::string_view subscription;
};

// `record` says where the event stood: of a letter that is delivered again, the caller puts the
// origin's topic, partition and offset there, not the dead letter topic's.
event::Record ToDeadLetter(const kafka::Consumed& record, const Letter& letter,
                           std::string dead_letter_topic, Story story = Story::kWhole);

}  // namespace outrigger::deliver
