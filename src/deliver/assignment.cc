#include "deliver/assignment.h"

#include <algorithm>

namespace outrigger::deliver {

Assignment::~Assignment() {
  for (const auto& [number, partition] : partitions_) metrics_.Remove(partition->series());
  for (const auto& [at, series] : kept_series_) metrics_.Remove(series);
}

AssignedPartition& Assignment::Add(kafka::Assigned assigned) {
  auto owned = std::make_unique<AssignedPartition>(std::move(assigned));
  AssignedPartition& partition = *owned;
  partition.SetSeries(metrics_.Partition(group_, partition.at().topic, partition.at().partition));
  by_place_[partition.at()] = &partition;
  partitions_[partition.number()] = std::move(owned);
  return partition;
}

void Assignment::Remove(uint64_t number) {
  const auto found = partitions_.find(number);
  if (found == partitions_.end()) return;
  const AssignedPartition& partition = *found->second;
  const bool kept = std::ranges::any_of(
      kept_series_, [&](const auto& each) { return each.first == partition.at(); });
  if (!kept) metrics_.Remove(partition.series());
  if (!partition.retired()) by_place_.erase(partition.at());
  partitions_.erase(found);
}

void Assignment::KeepSeries(const AssignedPartition& partition) {
  kept_series_.emplace_back(partition.at(), partition.series());
}

// Those of partitions that others have now are theirs to show.
void Assignment::RemoveKeptSeries() {
  for (const auto& [at, series] : kept_series_)
    if (!by_place_.contains(at)) metrics_.Remove(series);
  kept_series_.clear();
}

void Assignment::Retire(AssignedPartition& partition) {
  by_place_.erase(partition.at());
  metrics_.Remove(partition.series());
  partition.Retire();
}

AssignedPartition* Assignment::Find(uint64_t number) const {
  const auto found = partitions_.find(number);
  return found == partitions_.end() ? nullptr : found->second.get();
}

AssignedPartition* Assignment::At(const kafka::TopicPartition& at) const {
  const auto found = by_place_.find(at);
  return found == by_place_.end() ? nullptr : found->second;
}

std::vector<uint64_t> Assignment::Numbers() const {
  std::vector<uint64_t> numbers;
  numbers.reserve(partitions_.size());
  for (const auto& [number, partition] : partitions_) numbers.push_back(number);
  return numbers;
}

}  // namespace outrigger::deliver
