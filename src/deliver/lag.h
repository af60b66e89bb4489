// How far behind one partition is, in seconds.
//
// The age of the oldest unsettled record where we hold one: by its timestamp where that can be the
// time at which it was written, else since it was fetched. Where none has come yet (the app is
// away, the partition paused) nobody knows that record's time: then it is for how long the
// partition has lagged without getting on, which the true age is never below but for a glance.
//
// Thread: the deliver flow's. Lifetime: one assignment of the partition. Source: contract section
// 6, outrigger_consumer_lag_seconds.
#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.h"

namespace outrigger::deliver {

// The oldest record of a partition that is not settled.
struct Held {
  int64_t timestamp_ms = -1;  // -1: it has none
  base::TimePoint fetched;
};

class LagAge {
 public:
  // `lag` events from the offset `next` on are not settled. Asked every second or so.
  double Seconds(int64_t lag, int64_t next, const std::optional<Held>& oldest, base::TimePoint now,
                 base::WallTime wall);

 private:
  // Since when it has lagged at `at_`.
  std::optional<base::TimePoint> since_;
  int64_t at_ = -1;
};

}  // namespace outrigger::deliver
