#include "kafka/producer_topic.h"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <utility>

namespace outrigger::kafka {
namespace {

constexpr auto kRefresh = std::chrono::seconds(30);

}  // namespace

void Held::Add(const Entry& entry) {
  ++records;
  memory += entry.memory;
}

void Held::Remove(const Entry& entry) {
  assert(records > 0 && memory >= entry.memory);
  --records;
  memory -= entry.memory;
}

Topic::Topic(std::string name, base::TimePoint now) : name_(std::move(name)), idle_since_(now) {}

Topic::~Topic() {
  for (Entry* entry : waiting_) delete entry;
  for (const auto& queue : queues_) {
    for (Entry* entry : queue->waiting) delete entry;
    for (Entry* entry : queue->batch) delete entry;
  }
}

void Topic::Accept(Entry& entry) {
  entry.topic = this;
  held_.Add(entry);
  used_ = true;
}

PartitionQueue* Topic::QueueFor(const event::Record& record) const {
  assert(placed());
  const auto count = static_cast<int32_t>(queues_.size());
  int32_t partition = record.partition;
  if (partition >= count) return nullptr;
  if (partition < 0 && record.key) {
    // Java's murmur2, as its default partitioner has it, so that producers in other languages
    // agree.
    const std::string& key = *record.key;
    partition =
        rd_kafka_msg_partitioner_murmur2(nullptr, key.data(), key.size(), count, nullptr, nullptr);
  } else if (partition < 0) {
    partition = static_cast<int32_t>(sticky_ % queues_.size());
  }
  return queues_[static_cast<size_t>(partition)].get();
}

void Topic::OnBatch(const PartitionQueue& queue) {
  if (sticky_ % queues_.size() == static_cast<size_t>(queue.partition)) ++sticky_;
}

std::deque<Entry*> Topic::TakeWaiting() { return std::exchange(waiting_, {}); }

void Topic::TakeAllWaiting(std::vector<Entry*>& into) {
  into.insert(into.end(), waiting_.begin(), waiting_.end());
  waiting_.clear();
  for (const auto& queue : queues_) {
    into.insert(into.end(), queue->waiting.begin(), queue->waiting.end());
    queue->waiting.clear();
  }
}

bool Topic::idle() const {
  return std::all_of(queues_.begin(), queues_.end(),
                     [](const auto& queue) { return queue->idle(); });
}

void Topic::Gather() {
  assert(drained());
  for (const auto& queue : queues_)
    waiting_.insert(waiting_.end(), queue->waiting.begin(), queue->waiting.end());
  queues_.clear();
  std::sort(waiting_.begin(), waiting_.end(),
            [](const Entry* a, const Entry* b) { return a->order < b->order; });
  phase_ = Phase::kLooking;
}

bool Topic::StartLookup() {
  if (looking_up()) return false;
  asking_ = true;
  used_ = false;
  return true;
}

void Topic::OnLookedUp(base::TimePoint now) {
  asking_ = false;
  looked_up_ = now;
}

void Topic::OnFound(std::vector<bool> led) {
  missing_since_.reset();
  led_ = std::move(led);
}

base::Duration Topic::OnMissing(base::TimePoint now) {
  if (!missing_since_) missing_since_ = now;
  return now - *missing_since_;
}

bool Topic::RefreshDue(base::TimePoint now) const { return used_ && now - looked_up_ > kRefresh; }

bool Topic::led(int32_t partition) const {
  const auto index = static_cast<size_t>(partition);
  return index < led_.size() && led_[index];
}

bool Topic::OnStored(int32_t partition, int64_t offset) {
  const auto index = static_cast<size_t>(partition);
  if (last_offsets_.size() <= index) last_offsets_.resize(index + 1, -1);
  return std::exchange(last_offsets_[index], offset) >= offset;
}

void Topic::ShowRefusal(const Refusal& refusal) {
  refusal_ = refusal.error.message + "; " + refusal.error.hint;
}

bool Topic::ClearRefusal() {
  if (refusal_.empty()) return false;
  refusal_.clear();
  return true;
}

base::Duration Topic::IdleFor(base::TimePoint now) {
  if (used_ || held_.records > 0 || looking_up()) idle_since_ = now;
  return now - idle_since_;
}

bool Topic::Place(size_t partitions) {
  assert(phase_ != Phase::kDraining && partitions >= queues_.size() && partitions > 0);
  while (queues_.size() < partitions) {
    auto queue = std::make_unique<PartitionQueue>();
    queue->partition = static_cast<int32_t>(queues_.size());
    queues_.push_back(std::move(queue));
  }
  if (placed()) return false;
  phase_ = Phase::kPlaced;
  sticky_ = static_cast<size_t>(std::rand());
  return true;
}

bool Topic::Unplace() {
  if (!placed()) return false;
  phase_ = Phase::kDraining;
  return true;
}

}  // namespace outrigger::kafka
