// The time by which deadlines of what others send are judged: it stands still while its loop does
// not come round (the process was stopped, the node frozen, a handler took long) and for a moment
// after, so that what has arrived meanwhile is read before anybody is found late.
//
// A plain value. Who has such a deadline asks at least every kAskEvery: a longer silence is taken
// for a pause. (While nobody has one, nobody asks, and what passes is no one's time.)
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
    // A loop that never comes round in time gets on all the same, every other time.
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
