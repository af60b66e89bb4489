// Exponential backoff with full jitter: the wait before try n is uniform in [0, min(max, initial *
// 2^n)). Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
#pragma once

#include <algorithm>
#include <random>

#include "base/clock.h"

namespace outrigger::base {

class Backoff {
 public:
  Backoff(Duration initial, Duration max, uint32_t seed = std::random_device{}())
      : initial_(initial), max_(max), bound_(initial), random_(seed) {}

  // The next wait; each call doubles the bound.
  Duration Next() {
    std::uniform_int_distribution<Duration::rep> spread(0, bound_.count());
    bound_ = std::min(max_, bound_ * 2);
    return Duration(spread(random_));
  }

  void Reset() { bound_ = initial_; }

 private:
  Duration initial_;
  Duration max_;
  Duration bound_;
  std::minstd_rand random_;
};

}  // namespace outrigger::base
