#include "deliver/delivery.h"

namespace outrigger::deliver {
namespace {

using Tenths = std::chrono::duration<int64_t, std::deci>;

int64_t ToTenths(base::WallTime time) {
  return std::chrono::floor<Tenths>(time.time_since_epoch()).count();
}

}  // namespace

void Partition::Restore(Progress progress) {
  // A time that no clock of ours could have shown is none.
  constexpr int64_t kMost =
      std::chrono::duration_cast<Tenths>(base::WallTime::duration::max()).count();
  for (size_t i = 0; i < progress.first_tries.size(); ++i)
    if (const int64_t time = progress.first_tries[i]; time > 0 && time < kMost)
      first_tries[progress.attempts[i].first] = base::WallTime(Tenths(time));
  offsets = PartitionOffsets(std::move(progress));
}

Progress Partition::progress() const {
  Progress progress = offsets.progress();
  for (const auto& [offset, attempts] : progress.attempts) {
    const auto delivery = deliveries.find(offset);
    const auto restored = first_tries.find(offset);
    progress.first_tries.push_back(delivery != deliveries.end()
                                       ? ToTenths(delivery->second->first_tried)
                                   : restored != first_tries.end() ? ToTenths(restored->second)
                                                                   : 0);
  }
  return progress;
}

}  // namespace outrigger::deliver
