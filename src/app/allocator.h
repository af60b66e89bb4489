// The C library's allocator: how memory that is free again gets back to the container.
#pragma once

#include <cstdint>

namespace outrigger::app {

// For a process of many threads that allocate little and a few that allocate much. Before the first
// thread.
void SetUpAllocator();

// The C library keeps what a flood of events, bodies or answers took, for another one. Told about
// once a second of what is held, this returns it when the flood has passed.
//
// Thread: one flow's.
class FloodGate {
 public:
  // `held` now, and at most since the last call.
  void Look(uint64_t held, uint64_t peak);

 private:
  uint64_t flood_ = 0;  // the most since memory was returned
};

}  // namespace outrigger::app
