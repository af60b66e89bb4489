#include "kafka/topic_table.h"

#include <algorithm>

namespace outrigger::kafka {
namespace {

// A topic that is not there costs so much while it is remembered, and they may cost a part of what
// may wait.
constexpr size_t kSoughtTopic = 10'000;
constexpr size_t kSoughtShare = 2;
constexpr size_t kMostSought = 2000;
// No topic holds more than this part of what may wait: one that Kafka can't take must not shut out
// the others.
constexpr size_t kTopicShare = 2;
// How long a topic is remembered that nothing is published to, and how many of those that Kafka
// does not have.
constexpr base::Duration kForgotten = std::chrono::minutes(10);
constexpr base::Duration kUnknownForgotten = std::chrono::minutes(1);
constexpr size_t kMostUnknown = 500;

Refusal NeverFits(const std::string& topic, size_t memory, size_t most) {
  Refusal refusal;
  refusal.reason = Reason::kTooLarge;
  refusal.memory = true;
  refusal.error = {base::Code::kTooLarge,
                   "the event takes " + std::to_string(memory) + " bytes, and at most " +
                       std::to_string(most) + " may wait for topic " + topic,
                   "send a smaller one", false};
  return refusal;
}

}  // namespace

Refusal QueueFull(const std::string& what, bool memory) {
  Refusal refusal;
  refusal.reason = Reason::kQueueFull;
  refusal.memory = memory;
  refusal.error = {base::Code::kUnavailable, what,
                   "Kafka is slower than the app publishes; try again", true};
  return refusal;
}

TopicTable::TopicTable(base::Clock clock, size_t max_records, size_t max_bytes)
    : clock_(std::move(clock)), max_records_(max_records), max_bytes_(max_bytes) {}

std::optional<Refusal> TopicTable::Admit(const event::Record& record) const {
  const size_t memory = MemoryOf(record);
  const size_t most = max_bytes_ / kTopicShare;
  if (memory > most) return NeverFits(record.topic, memory, most);
  if (held_.records >= max_records_ || held_.memory + memory > max_bytes_)
    return QueueFull("the queue to Kafka is full (" + std::to_string(held_.records) + " events)",
                     true);
  const Topic* topic = Find(record.topic);
  if (!topic) {
    if (not_placed_ < kMostSought && not_placed_ * kSoughtTopic <= max_bytes_ / kSoughtShare)
      return std::nullopt;
    return QueueFull(std::to_string(not_placed_) +
                     " topics that Kafka does not have are waited for");
  }
  const Held& held = topic->held();
  if (held.records >= max_records_ / kTopicShare || held.memory + memory > most)
    return QueueFull("the queue of topic " + topic->name() + " is full (" +
                         std::to_string(held.records) + " events)",
                     true);
  return std::nullopt;
}

void TopicTable::Hold(Entry& entry) {
  entry.order = ++last_order_;
  held_.Add(entry);
}

Topic& TopicTable::Accept(Entry& entry) {
  auto& topic = topics_[entry.record.topic];
  if (!topic) {
    topic = std::make_unique<Topic>(entry.record.topic, clock_.now());
    ++not_placed_;
  }
  topic->Accept(entry);
  return *topic;
}

void TopicTable::Release(const Entry& entry) {
  held_.Remove(entry);
  if (entry.topic) entry.topic->Release(entry);
}

Topic* TopicTable::Find(const std::string& name) const {
  const auto found = topics_.find(name);
  return found == topics_.end() ? nullptr : found->second.get();
}

int32_t TopicTable::PartitionOf(const event::Record& record) const {
  if (record.partition >= 0) return record.partition;
  const Topic* topic = record.key ? Find(record.topic) : nullptr;
  return topic && topic->placed() ? topic->QueueFor(record)->partition : -1;
}

void TopicTable::Place(Topic& topic, size_t partitions) {
  if (topic.Place(partitions)) --not_placed_;
}

void TopicTable::Unplace(Topic& topic) {
  if (topic.Unplace()) ++not_placed_;
}

bool TopicTable::idle() const {
  return std::all_of(topics_.begin(), topics_.end(),
                     [](const auto& topic) { return topic.second->idle(); });
}

std::vector<Entry*> TopicTable::TakeWaiting() {
  std::vector<Entry*> taken;
  for (const auto& [name, topic] : topics_) topic->TakeAllWaiting(taken);
  return taken;
}

std::vector<Entry*> TopicTable::TakeAll() {
  for (const auto& [name, topic] : topics_)
    for (const auto& queue : topic->queues()) queue->TakeBack();
  return TakeWaiting();
}

std::string TopicTable::refusal() const {
  for (const auto& [name, topic] : topics_)
    if (!topic->refusal().empty()) return topic->refusal();
  return {};
}

void TopicTable::ForgetIdle(const std::function<void(const Topic&)>& on_forget) {
  const base::TimePoint now = clock_.now();
  size_t unknown = 0;
  for (auto at = topics_.begin(); at != topics_.end();) {
    Topic& topic = *at->second;
    const base::Duration idle = topic.IdleFor(now);
    const bool known = !topic.queues().empty();
    if (idle > kUnknownForgotten) topic.ClearRefusal();
    const bool kept = known ? idle <= kForgotten
                            : idle <= kUnknownForgotten &&
                                  (idle == base::Duration(0) || ++unknown <= kMostUnknown);
    if (kept) {
      ++at;
      continue;
    }
    on_forget(topic);
    if (!topic.placed()) --not_placed_;
    at = topics_.erase(at);
  }
}

}  // namespace outrigger::kafka
