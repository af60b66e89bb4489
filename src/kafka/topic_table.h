// The topics of a producer, and how much may wait for them.
//
// Pure. Thread: the loop's.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "kafka/producer_topic.h"

namespace outrigger::kafka {

Refusal QueueFull(const std::string& what, bool memory = false);

class TopicTable {
 public:
  using Map = std::unordered_map<std::string, std::unique_ptr<Topic>>;

  // Bounds as of ProducerOptions.
  TopicTable(base::Clock clock, size_t max_records, size_t max_bytes);

  void SetMaxBytes(size_t max_bytes) { max_bytes_ = max_bytes; }
  // Why there is no room for the record now, if so.
  std::optional<Refusal> Admit(const event::Record& record) const;
  // Counts the record, also one that is about to be refused, until Release.
  void Hold(Entry& entry);
  // Of a record that is accepted: its topic, which is made with the first.
  Topic& Accept(Entry& entry);
  void Release(const Entry& entry);

  Topic* Find(const std::string& name) const;
  // As RecordSink::partition.
  int32_t PartitionOf(const event::Record& record) const;
  const Map& topics() const { return topics_; }
  const Held& held() const { return held_; }

  // The topic has so many partitions, at least as many as before.
  void Place(Topic& topic, size_t partitions);
  // The topic's partitions are not what they were.
  void Unplace(Topic& topic);

  bool idle() const;                  // no batch is undecided
  std::vector<Entry*> TakeWaiting();  // all that is not in librdkafka's hands
  std::vector<Entry*> TakeAll();      // whether in librdkafka's hands or not
  // For people: why a topic takes nothing; empty when all do.
  std::string refusal() const;

  // Forgets topics that nothing is published to; `on_forget` comes before.
  void ForgetIdle(const std::function<void(const Topic&)>& on_forget);

 private:
  base::Clock clock_;
  const size_t max_records_;
  size_t max_bytes_;
  Map topics_;
  Held held_;
  size_t not_placed_ = 0;  // of `topics_`
  uint64_t last_order_ = 0;
};

}  // namespace outrigger::kafka
