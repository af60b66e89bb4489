#include "deliver/lag.h"

#include <algorithm>

namespace outrigger::deliver {
namespace {

// Below this a number of milliseconds is a number of seconds (September 2001 and 33658).
constexpr int64_t kEarliestMs = 1'000'000'000'000;

double ToSeconds(base::Duration time) {
  return std::max(std::chrono::duration<double>(time).count(), 0.0);
}

}  // namespace

double LagAge::Seconds(int64_t lag, int64_t next, const std::optional<Held>& oldest,
                       base::TimePoint now, base::WallTime wall) {
  if (lag <= 0) {
    since_.reset();
    return 0;
  }
  if (!since_ || next != at_) since_ = now;
  at_ = next;
  if (!oldest) return ToSeconds(now - *since_);
  // Producers set timestamps as they like: microseconds, seconds, a time to come.
  const double held = ToSeconds(now - oldest->fetched);
  const int64_t wall_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(wall.time_since_epoch()).count();
  if (oldest->timestamp_ms < kEarliestMs || oldest->timestamp_ms > wall_ms) return held;
  return std::max(static_cast<double>(wall_ms - oldest->timestamp_ms) / 1000, held);
}

}  // namespace outrigger::deliver
