#include "deliver/lag.h"

#include <algorithm>

namespace outrigger::deliver {
namespace {

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
  if (oldest->timestamp_ms < 0) return ToSeconds(now - oldest->fetched);
  return ToSeconds(wall.time_since_epoch() - std::chrono::milliseconds(oldest->timestamp_ms));
}

}  // namespace outrigger::deliver
