// The condition SpoolDrained: whether the spool is empty, and if not, what waits in it and why.
//
// Pure. Thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "telemetry/conditions.h"

namespace outrigger::telemetry {

struct SpoolState {
  std::string folder;
  uint64_t records = 0;  // that wait for Kafka
  uint64_t bytes = 0;    // of those
  std::optional<base::WallTime> oldest;
  uint64_t quarantined = 0;
  bool full = false;        // it refuses events for want of room
  std::string store_error;  // why the disk does not do what it should; empty: it does
  std::string kafka_error;  // why Kafka does not take the records; empty: it does
};

// Without last_transition, which is for Conditions::Set to know.
Condition SpoolDrained(const SpoolState& state);

}  // namespace outrigger::telemetry
