// Wakes a loop through an eventfd: writing an 8-byte one to descriptor(), from any thread or
// library, calls `on_wake` on the loop. Several writes before that are one call.
//
// Thread: the loop's; the descriptor may be written from any. Lifetime: outlives its writers.
// Cost: two system calls a wake-up, the wait and the read. Source: eventfd(2).
#pragma once

#include <functional>
#include <memory>

#include "base/loop.h"

namespace outrigger::base {

class Wakeup {
 public:
  Wakeup(Loop& loop, std::function<void()> on_wake);
  Wakeup(const Wakeup&) = delete;
  Wakeup& operator=(const Wakeup&) = delete;
  ~Wakeup();

  int descriptor() const;
  // No call comes after it.
  void Stop();
  bool stopped() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace outrigger::base
