#include "deliver/offsets.h"

#include <algorithm>
#include <iterator>

namespace outrigger::deliver {

PartitionOffsets::PartitionOffsets(Progress progress)
    : first_(progress.committed), next_(progress.committed) {
  for (const auto& range : progress.settled) later_.emplace(range.begin, range.end);
  for (const auto& [offset, attempts] : progress.attempts) later_attempts_[offset] = attempts;
}

bool PartitionOffsets::InLater(int64_t offset) const {
  const auto behind = later_.upper_bound(offset);
  return behind != later_.begin() && offset < std::prev(behind)->second;
}

void PartitionOffsets::ForgetBelow(int64_t offset) {
  while (!later_.empty() && later_.begin()->second <= offset) later_.erase(later_.begin());
  later_attempts_.erase(later_attempts_.begin(), later_attempts_.lower_bound(offset));
}

PartitionOffsets::Added PartitionOffsets::Add(int64_t offset) {
  if (next_ < 0) first_ = next_ = offset;
  if (offset < first_) return Added::kBefore;
  if (offset < next_) return unsettled_.contains(offset) ? Added::kKnown : Added::kSettled;
  const bool settled = InLater(offset);
  if (!settled) {
    const auto known = later_attempts_.find(offset);
    unsettled_.emplace_hint(unsettled_.end(), offset,
                            known == later_attempts_.end() ? 0 : known->second);
  }
  if (settled || later_attempts_.contains(offset)) touched_ = offset;
  next_ = offset + 1;
  ForgetBelow(next_);
  return settled ? Added::kSettled : Added::kNew;
}

void PartitionOffsets::PassTo(int64_t next) {
  if (next <= next_) return;
  const int64_t before = committable();
  if (next_ < 0) first_ = next;
  next_ = next;
  ForgetBelow(next_);
  if (committable() != before) ++version_;
}

void PartitionOffsets::Settle(int64_t offset) {
  if (unsettled_.erase(offset) == 0) return;
  touched_ = std::max(touched_, offset);
  ++version_;
}

bool PartitionOffsets::AlreadySettled(int64_t offset) const {
  if (offset < next_) return !unsettled_.contains(offset);
  return InLater(offset);
}

int64_t PartitionOffsets::committable() const {
  if (!unsettled_.empty()) return unsettled_.begin()->first;
  const bool joins = !later_.empty() && later_.begin()->first <= next_;
  return joins ? later_.begin()->second : next_;
}

Progress PartitionOffsets::progress() const {
  Progress progress{std::max<int64_t>(committable(), 0), {}, {}};
  auto& settled = progress.settled;
  const auto add = [&](int64_t begin, int64_t end) {
    begin = std::max(begin, progress.committed);
    if (begin >= end) return;
    if (!settled.empty() && settled.back().end >= begin) {
      settled.back().end = std::max(settled.back().end, end);
    } else {
      settled.push_back({begin, end});
    }
  };
  int64_t at = progress.committed;
  int64_t end = next_;
  for (const auto& [offset, attempts] : unsettled_) {
    if (offset > touched_) {
      end = touched_ + 1;
      break;
    }
    add(at, offset);
    at = offset + 1;
    if (attempts > 0) progress.attempts.emplace_back(offset, attempts);
  }
  add(at, end);
  for (const auto& [begin, end] : later_) add(std::max(begin, next_), end);
  for (const auto& entry : later_attempts_)
    if (entry.first >= progress.committed) progress.attempts.push_back(entry);
  return progress;
}

uint32_t PartitionOffsets::attempts(int64_t offset) const {
  const auto& attempts = offset < next_ ? unsettled_ : later_attempts_;
  const auto known = attempts.find(offset);
  return known == attempts.end() ? 0 : known->second;
}

void PartitionOffsets::SetAttempts(int64_t offset, uint32_t attempts) {
  const auto known = unsettled_.find(offset);
  if (known == unsettled_.end() || known->second == attempts) return;
  known->second = attempts;
  touched_ = std::max(touched_, offset);
  ++version_;
}

}  // namespace outrigger::deliver
