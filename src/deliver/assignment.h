// The partitions that a group has, and their gauges.
//
// The gauges of a partition go with it, but for one that was lost while Kafka is away: what was
// last known of it is shown until Kafka is back and the group has shared its partitions out.
//
// Thread: the deliver flow's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "deliver/assigned_partition.h"
#include "kafka/consumer.h"
#include "telemetry/metrics.h"

namespace outrigger::deliver {

class Assignment {
 public:
  Assignment(telemetry::Metrics& metrics, std::string group)
      : metrics_(metrics), group_(std::move(group)) {}
  Assignment(const Assignment&) = delete;
  Assignment& operator=(const Assignment&) = delete;
  ~Assignment();

  AssignedPartition& Add(kafka::Assigned assigned);
  void Remove(uint64_t number);
  // Its gauges outlast it.
  void KeepSeries(const AssignedPartition& partition);
  void RemoveKeptSeries();
  // Its name is free for a successor, and so are its gauges.
  void Retire(AssignedPartition& partition);

  AssignedPartition* Find(uint64_t number) const;
  AssignedPartition* At(const kafka::TopicPartition& at) const;  // not a retired one
  const std::unordered_map<uint64_t, std::unique_ptr<AssignedPartition>>& all() const {
    return partitions_;
  }
  // For walks that remove some.
  std::vector<uint64_t> Numbers() const;

 private:
  telemetry::Metrics& metrics_;
  const std::string group_;
  std::unordered_map<uint64_t, std::unique_ptr<AssignedPartition>> partitions_;
  std::unordered_map<kafka::TopicPartition, AssignedPartition*, kafka::HashOf> by_place_;
  std::vector<std::pair<kafka::TopicPartition, telemetry::ConsumerPartition>> kept_series_;
};

}  // namespace outrigger::deliver
