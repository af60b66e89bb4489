#include "publish/order_gate.h"

#include <cassert>
#include <functional>
#include <string_view>

namespace outrigger::publish {
namespace {

constexpr size_t kCounts = 4096;

size_t PlaceOf(const std::string& key) { return std::hash<std::string_view>()(key) % kCounts; }

}  // namespace

void OrderGate::Add(const event::Record& record) {
  if (!record.key) return;
  Topic& topic = topics_[record.topic];
  topic.by_key.resize(kCounts);
  ++topic.by_key[PlaceOf(*record.key)];
  ++topic.records;
}

void OrderGate::Remove(const event::Record& record) {
  const auto found = record.key ? topics_.find(record.topic) : topics_.end();
  if (found == topics_.end()) return;
  Topic& topic = found->second;
  assert(topic.records > 0);
  uint32_t& count = topic.by_key[PlaceOf(*record.key)];
  assert(count > 0);
  --count;
  --topic.records;
  EraseIfEmpty(record.topic, topic);
}

void OrderGate::AddUnread(const std::string& topic, uint64_t count) {
  if (count > 0) topics_[topic].unread += count;
}

void OrderGate::RemoveUnread(const std::string& topic) {
  const auto found = topics_.find(topic);
  if (found == topics_.end() || found->second.unread == 0) return;
  --found->second.unread;
  EraseIfEmpty(topic, found->second);
}

bool OrderGate::Holds(const event::Record& record) const {
  const auto found = record.key ? topics_.find(record.topic) : topics_.end();
  if (found == topics_.end()) return false;
  const Topic& topic = found->second;
  return topic.unread > 0 || (topic.records > 0 && topic.by_key[PlaceOf(*record.key)] > 0);
}

bool OrderGate::HasUnread(const std::string& topic) const {
  const auto found = topics_.find(topic);
  return found != topics_.end() && found->second.unread > 0;
}

void OrderGate::EraseIfEmpty(const std::string& name, const Topic& topic) {
  if (topic.records == 0 && topic.unread == 0) topics_.erase(name);
}

}  // namespace outrigger::publish
