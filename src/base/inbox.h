// Calls from other threads, run on a loop's thread in batches: many pushes, one wake-up.
//
// Thread: Push from any thread; the calls run on the loop's thread in the order of the pushes.
// Lifetime: the Inbox is owned by the loop's side and outlives its pushers' use of it.
#pragma once

#include <functional>
#include <mutex>
#include <vector>

#include "base/loop.h"

namespace outrigger::base {

class Inbox {
 public:
  explicit Inbox(Loop& loop) : loop_(loop) {}

  void Push(std::function<void()> call) {
    bool wake;
    {
      std::lock_guard lock(mutex_);
      wake = calls_.empty();
      calls_.push_back(std::move(call));
    }
    if (wake) loop_.Post([this] { Drain(); });
  }

 private:
  void Drain() {
    std::vector<std::function<void()>> calls;
    {
      std::lock_guard lock(mutex_);
      calls.swap(calls_);
    }
    for (auto& call : calls) call();
  }

  Loop& loop_;
  std::mutex mutex_;
  std::vector<std::function<void()>> calls_;
};

}  // namespace outrigger::base
