// How many calls the app gets at once: what it has been seen to answer, up to
// `deliver.concurrency`.
//
// An app that can't keep up, or serves fewer connections than we open (one thread with kept
// connections serves one), lets calls run into their time-out that it has not even read. Each time
// that happens half as many go at once; one time for all calls that were under way then. While
// answers come and the limit is reached it grows by half, after a wait that doubles with each
// shrinking, so that an app that takes n is asked for more than n ever more seldom.
//
// Pure. Thread: the deliver flow's.
#pragma once

#include <cstddef>

#include "base/clock.h"

namespace outrigger::deliver {

class Concurrency {
 public:
  explicit Concurrency(size_t most) : most_(most), limit_(most) {}

  size_t limit() const { return limit_; }

  // An answer came while `in_flight` calls, with its own, were under way.
  void OnAnswer(size_t in_flight, base::TimePoint now);
  // A call that was sent at `begun` found the app overloaded, `in_flight` of them being under way.
  void OnOverload(size_t in_flight, base::TimePoint begun, base::TimePoint now);

 private:
  size_t most_;
  size_t limit_;
  base::TimePoint changed_{};
  base::Duration wait_ = kFirstWait;

  static constexpr base::Duration kFirstWait = std::chrono::seconds(1);
  static constexpr base::Duration kLongestWait = std::chrono::minutes(5);
};

}  // namespace outrigger::deliver
