// A fingerprint of a record: of its topic, key, value and headers, as bytes and in their order.
//
// That two different records have the same one takes 128 equal bits. Where and when a record is,
// its partition and time, is not part of it. Pure.
#pragma once

#include <compare>
#include <cstdint>

#include "event/event.h"

namespace outrigger::event {

struct RecordDigest {
  uint64_t first = 0;
  uint64_t second = 0;
  uint64_t key = 0;  // of topic and key alone: records that have an order have it in common

  auto operator<=>(const RecordDigest&) const = default;
};

RecordDigest DigestOf(const Record& record);

}  // namespace outrigger::event
