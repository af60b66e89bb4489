// The end of what still has work: it is told when nothing is left, or when its time is over.
//
// Pure but for the timer. Thread: the loop's. Lifetime: no call comes after destruction.
#pragma once

#include <functional>
#include <utility>

#include "base/loop.h"

namespace outrigger::kafka {

class GracefulClose {
 public:
  enum class Phase { kOpen, kClosing, kClosed };

  Phase phase() const { return phase_; }

  // `on_late` gives up what is left after `budget`; `on_done` is called once, last of all.
  void Begin(base::Loop& loop, base::Duration budget, std::function<void()> on_late,
             std::function<void()> on_done) {
    phase_ = Phase::kClosing;
    on_done_ = std::move(on_done);
    late_ = loop.After(budget, [this, on_late = std::move(on_late)] {
      phase_ = Phase::kClosed;
      on_late();
      std::exchange(on_done_, nullptr)();
    });
  }

  // Nothing is left.
  void OnEmpty() {
    if (phase_ != Phase::kClosing) return;
    phase_ = Phase::kClosed;
    late_.Cancel();
    std::exchange(on_done_, nullptr)();
  }

 private:
  Phase phase_ = Phase::kOpen;
  base::Timer late_;
  std::function<void()> on_done_;
};

}  // namespace outrigger::kafka
