// Runs a loop on the test's own thread until something is true. No sleep: the loop waits for its
// own events.
#pragma once

#include <chrono>
#include <functional>

#include "base/loop.h"

namespace outrigger::test {

// Returns whether `truth` held within `at_most`. For loops with the system clock.
inline bool RunUntil(base::Loop& loop, const std::function<bool()>& truth,
                     std::chrono::seconds at_most = std::chrono::seconds(30)) {
  const auto end = loop.Now() + at_most;
  bool held = false;
  base::Timer look_again;
  std::function<void()> look = [&] {
    held = truth();
    if (held || loop.Now() > end) return loop.Stop();
    look_again = loop.After(std::chrono::milliseconds(2), look);
  };
  loop.Post(look);
  loop.Run();
  return held;
}

}  // namespace outrigger::test
