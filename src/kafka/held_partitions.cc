#include "kafka/held_partitions.h"

#include <algorithm>
#include <set>
#include <utility>

namespace outrigger::kafka {

void HeldPartition::OnRead(int64_t offset) {
  next = offset + 1;
  at_end = false;
  paused_end = -1;  // a fetch tells it again
}

void HeldPartition::OnEnd(int64_t offset) {
  next = offset;
  at_end = true;
  paused_end = -1;
}

int64_t HeldPartition::EndOf(int64_t high) const {
  if (paused_end >= 0) return std::max(paused_end, next);
  return at_end ? next : high;
}

HeldPartition& HeldPartitions::Add(const TopicPartition& at, int64_t next, TopicIdentity identity) {
  HeldPartition& held = held_[at] = HeldPartition();
  held.epoch = ++last_epoch_;
  held.next = next;
  held.identity = std::move(identity);
  return held;
}

HeldPartition* HeldPartitions::Find(const TopicPartition& at) {
  const auto held = held_.find(at);
  return held == held_.end() ? nullptr : &held->second;
}

const HeldPartition* HeldPartitions::Find(const TopicPartition& at) const {
  const auto held = held_.find(at);
  return held == held_.end() ? nullptr : &held->second;
}

const HeldPartition* HeldPartitions::Find(const TopicPartition& at, uint64_t epoch) const {
  const HeldPartition* held = Find(at);
  return held && held->epoch == epoch ? held : nullptr;
}

std::vector<TopicPartition> HeldPartitions::Where(bool revoking) const {
  std::vector<TopicPartition> at;
  for (const auto& [each, held] : held_)
    if (held.revoking() == revoking) at.push_back(each);
  return at;
}

std::vector<TopicPartition> HeldPartitions::revoking() const { return Where(true); }
std::vector<TopicPartition> HeldPartitions::not_revoking() const { return Where(false); }

std::vector<TopicPartition> HeldPartitions::NotRevoking(std::vector<TopicPartition> at) const {
  std::erase_if(at, [this](const TopicPartition& each) {
    const HeldPartition* held = Find(each);
    return !held || held->revoking();
  });
  return at;
}

std::vector<std::string> HeldPartitions::topics() const {
  std::set<std::string> topics;
  for (const auto& [at, held] : held_) topics.insert(at.topic);
  return {topics.begin(), topics.end()};
}

}  // namespace outrigger::kafka
