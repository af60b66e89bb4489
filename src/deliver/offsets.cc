#include "deliver/offsets.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace outrigger::deliver {

PartitionOffsets::PartitionOffsets(const Progress& progress, int64_t first)
    : first_(first), next_(progress.committed), reach_(progress.committed) {
  for (const auto& range : progress.settled) AddRun(range.begin, range.end);
  for (const auto& [offset, attempts] : progress.attempts) attempts_[offset] = attempts;
  if (!runs_.empty()) reach_ = runs_.rbegin()->second;
  if (!attempts_.empty()) reach_ = std::max(reach_, attempts_.rbegin()->first);
}

bool PartitionOffsets::IsInRun(int64_t offset) const {
  const auto behind = runs_.upper_bound(offset);
  return behind != runs_.begin() && offset < std::prev(behind)->second;
}

size_t PartitionOffsets::SizeOf(Runs::const_iterator run) const {
  constexpr size_t kAnyNumber = 9;  // the first one's distance changes with committable()
  const size_t distance =
      run == runs_.begin()
          ? kAnyNumber
          : NumberBytes(static_cast<uint64_t>(run->first - std::prev(run)->second));
  return distance + NumberBytes(static_cast<uint64_t>(run->second - run->first));
}

void PartitionOffsets::AddRun(int64_t begin, int64_t end) {
  const auto from = runs_.lower_bound(begin);
  auto to = from;
  for (; to != runs_.end() && to->first <= end; ++to) {
    runs_size_ -= SizeOf(to);
    end = std::max(end, to->second);
  }
  if (to != runs_.end()) runs_size_ -= SizeOf(to);
  const auto run = runs_.emplace_hint(runs_.erase(from, to), begin, end);
  runs_size_ += SizeOf(run);
  if (to != runs_.end()) runs_size_ += SizeOf(to);
}

void PartitionOffsets::Trim() {
  if (const auto behind = runs_.upper_bound(next_); behind != runs_.begin())
    next_ = std::max(next_, std::prev(behind)->second);
  const int64_t committed = committable();
  while (!runs_.empty() && runs_.begin()->first <= committed) {
    const auto second = std::next(runs_.begin());
    runs_size_ -= SizeOf(runs_.begin());
    if (second != runs_.end()) runs_size_ -= SizeOf(second);
    runs_.erase(runs_.begin());
    if (second != runs_.end()) runs_size_ += SizeOf(second);
  }
}

PartitionOffsets::Added PartitionOffsets::Add(int64_t offset) {
  if (next_ < 0) first_ = next_ = offset;
  if (offset < first_) return Added::kBefore;
  if (offset < next_) return unsettled_.contains(offset) ? Added::kKnown : Added::kSettled;
  const bool settled = IsInRun(offset);
  if (!settled) unsettled_.emplace_hint(unsettled_.end(), offset, false);
  MoveTo(offset, offset + 1);
  return settled ? Added::kSettled : Added::kNew;
}

void PartitionOffsets::PassTo(int64_t next) {
  if (next <= next_) return;
  const int64_t before = committable();
  if (next_ < 0) first_ = next;
  MoveTo(next, next);
  if (committable() != before) ++version_;
}

void PartitionOffsets::MoveTo(int64_t offset, int64_t next) {
  attempts_.erase(attempts_.lower_bound(next_), attempts_.lower_bound(offset));
  next_ = next;
  Trim();
}

bool PartitionOffsets::Remove(int64_t offset) {
  const auto known = unsettled_.find(offset);
  if (known == unsettled_.end()) return false;
  if (attempts_.erase(offset) == 0 && known->second) --untried_;
  unsettled_.erase(known);
  return true;
}

void PartitionOffsets::Settle(int64_t offset) {
  if (!Remove(offset)) return;
  const auto behind = unsettled_.upper_bound(offset);
  if (behind != unsettled_.begin())
    AddRun(std::prev(behind)->first + 1, behind == unsettled_.end() ? next_ : behind->first);
  reach_ = std::max(reach_, offset);
  Trim();
  ++version_;
}

void PartitionOffsets::Skip(int64_t offset) {
  const int64_t before = committable();
  if (!Remove(offset)) return;
  Trim();
  if (committable() != before) ++version_;
}

bool PartitionOffsets::AlreadySettled(int64_t offset) const {
  return offset < next_ ? !unsettled_.contains(offset) : IsInRun(offset);
}

int64_t PartitionOffsets::committable() const {
  return unsettled_.empty() ? next_ : unsettled_.begin()->first;
}

Progress PartitionOffsets::progress() const {
  Progress progress{std::max<int64_t>(committable(), 0), {}, {attempts_.begin(), attempts_.end()}};
  for (const auto& [begin, end] : runs_) progress.settled.push_back({begin, end});
  return progress;
}

bool PartitionOffsets::MayAlwaysBegin(int64_t offset) const {
  const auto known = unsettled_.find(offset);
  return known == unsettled_.end() || known == unsettled_.begin() || known->second ||
         attempts_.contains(offset);
}

size_t PartitionOffsets::BoundWith(int64_t offset) const {
  return Bound(std::max(reach_, offset), untried_ + 1);
}

// Each that is begun ends in a run of its own or in an entry of attempts. Settled offsets are
// written as runs or as bits, whichever is shorter; as bits one more takes no room within reach.
size_t PartitionOffsets::Bound(int64_t reach, size_t untried) const {
  const auto span = static_cast<size_t>(std::max<int64_t>(reach + 1 - committable(), 0));
  const size_t number = NumberBytes(span);
  const size_t entry = number + kAttemptBytes;
  const size_t attempts = attempts_.size() * entry;
  const size_t bits = MetadataSize(span / 8 + 1, attempts + untried * entry);
  const size_t runs = MetadataSize(
      runs_size_, attempts + (attempts_.size() + untried) * std::max(2 * number, entry));
  return std::min(bits, runs);
}

void PartitionOffsets::Begin(int64_t offset) {
  const auto known = unsettled_.find(offset);
  if (known == unsettled_.end() || std::exchange(known->second, true)) return;
  if (!attempts_.contains(offset)) ++untried_;
  reach_ = std::max(reach_, offset);
}

uint32_t PartitionOffsets::attempts(int64_t offset) const {
  const auto known = attempts_.find(offset);
  return known == attempts_.end() ? 0 : known->second;
}

void PartitionOffsets::SetAttempts(int64_t offset, uint32_t attempts) {
  const auto known = unsettled_.find(offset);
  if (known == unsettled_.end()) return;
  const uint32_t before = this->attempts(offset);
  if (before == attempts) return;
  if (known->second && before == 0) --untried_;
  if (known->second && attempts == 0) ++untried_;
  if (attempts == 0)
    attempts_.erase(offset);
  else
    attempts_[offset] = attempts;
  reach_ = std::max(reach_, offset);
  ++version_;
}

}  // namespace outrigger::deliver
