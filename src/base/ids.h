// Event ids: UUID version 7 (RFC 9562, section 5.7), so that ids made on one machine sort by time.
#pragma once

#include <string>

#include "base/clock.h"

namespace outrigger::base {

// A new id, 36 characters. Thread: any; each thread has a generator of its own, seeded by the
// kernel. Ids made by one thread within a millisecond keep their order (the 12 bits after the time
// count up).
std::string NewUuid7(WallTime now);

}  // namespace outrigger::base
