// What a dead-letter record says of itself: the headers outrigger-error-* beside the original ones,
// for events that could not be published and for those that could not be delivered.
//
// Pure. Source: reference.md, "Dead letter headers".
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "event/event.h"

namespace outrigger::event {

struct DeadLetterStory {
  std::string_view reason;  // schema, status, …: one of the closed set
  int status = 0;           // HTTP; 0: there was no answer, and no header
  std::string_view body;    // the answer's, or what is wrong with the event; cut to 1 KiB
  uint32_t attempts = 0;
  base::WallTime first;  // the first attempt's time, and the last's
  base::WallTime last;
  std::string_view topic;
  // Of a record that was consumed; -1 and empty: there is no header.
  int32_t partition = -1;
  int64_t offset = -1;
  int64_t timestamp_ms = -1;
  std::string_view subscription = {};
};

// How much of its story a dead-letter record tells, where the topic does not take it whole.
enum class DeadLetterDetail {
  kWhole,
  kWithoutBody,
  kOrigin,      // reason, topic, partition, offset and generation
  kGeneration,  // what ends a loop
};

// How many times a record with these headers was a dead-letter record.
uint64_t Generation(const std::vector<Header>& headers);

// Headers outrigger-error-* of an earlier time are replaced, so that the story is the last one;
// outrigger-error-generation counts how many times there was one. outrigger-redrives (the redrive's
// own count) is kept.
void TellDeadLetter(std::vector<Header>& headers, const DeadLetterStory& story,
                    DeadLetterDetail detail = DeadLetterDetail::kWhole);

}  // namespace outrigger::event
