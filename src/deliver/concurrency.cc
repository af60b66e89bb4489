#include "deliver/concurrency.h"

#include <algorithm>

namespace outrigger::deliver {

void Concurrency::OnAnswer(size_t in_flight, base::TimePoint now) {
  if (limit_ == most_ || in_flight < limit_ || now - changed_ < wait_) return;
  limit_ = std::min(most_, limit_ + std::max<size_t>(1, limit_ / 2));
  changed_ = now;
  if (limit_ == most_) wait_ = kFirstWait;
}

void Concurrency::OnOverload(size_t in_flight, base::TimePoint begun, base::TimePoint now) {
  if (begun < changed_) return;
  const size_t before = std::min(limit_, in_flight);
  if (before <= 1) return;
  limit_ = before / 2;
  changed_ = now;
  wait_ = std::min(wait_ * 2, kLongestWait);
}

}  // namespace outrigger::deliver
