// The time for deadlines of what others send. It does not advance while its loop does not run (the
// process was stopped, the node frozen, a handler took long) and for a moment after, so that data
// that has arrived meanwhile is read before a deadline passes.
//
// A plain value. The owner of such a deadline asks at least every kAskEvery: a longer interval
// counts as a pause.
#pragma once

#include <algorithm>
#include <chrono>

#include "base/clock.h"

namespace outrigger::base {

class AwakeTime {
 public:
  static constexpr std::chrono::milliseconds kAskEvery{100};
  // Loops are late by a little all the time.
  static constexpr std::chrono::milliseconds kPause{150};
  // After a pause.
  static constexpr std::chrono::milliseconds kGrace{100};

  TimePoint At(TimePoint now) {
    if (asked_ == TimePoint()) asked_ = awake_ = now;
    // A loop that is always late makes progress all the same, every other time.
    if (now - asked_ > kPause && asked_ >= stands_until_) {
      stands_until_ = now + kGrace;
    } else if (now > stands_until_) {
      awake_ += std::min<Duration>(now - std::max(asked_, stands_until_), kPause);
    }
    asked_ = now;
    return awake_;
  }

 private:
  TimePoint asked_{};
  TimePoint awake_{};
  TimePoint stands_until_{};
};

}  // namespace outrigger::base
