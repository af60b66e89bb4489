// A consumer client, its queue, and lists of partitions as librdkafka has them.
//
// Thread: as Handle's (handle.h). Everything (records, rebalances, results of commits, errors)
// comes as events of the one queue. The last owner destroys the client without leaving the group:
// Consumer::Close does that before.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kafka/group_requests.h"
#include "kafka/handle.h"

namespace outrigger::kafka {

struct ConsumerOptions;

struct TopicPartition {
  std::string topic;
  int32_t partition = -1;

  auto operator<=>(const TopicPartition&) const = default;
  std::string text() const { return topic + "/" + std::to_string(partition); }
};

struct HashOf {
  size_t operator()(const TopicPartition& at) const {
    return std::hash<std::string>()(at.topic) * 31 + static_cast<size_t>(at.partition);
  }
};

struct DestroyPartitions {
  void operator()(rd_kafka_topic_partition_list_t* list) const {
    rd_kafka_topic_partition_list_destroy(list);
  }
};
using PartitionList = std::unique_ptr<rd_kafka_topic_partition_list_t, DestroyPartitions>;

PartitionList ToList(const std::vector<TopicPartition>& at);
std::vector<TopicPartition> FromList(const rd_kafka_topic_partition_list_t* list);

class ConsumerHandle {
 public:
  // Not subscribed yet.
  static base::Result<std::shared_ptr<ConsumerHandle>> Create(const ConsumerOptions& options);
  ConsumerHandle(std::unique_ptr<GroupRequests> group, rd_kafka_t* rk,
                 Owned<rd_kafka_queue_t> queue)
      : group_(std::move(group)), rk_(rk), queue_(std::move(queue)) {}
  ConsumerHandle(const ConsumerHandle&) = delete;
  ConsumerHandle& operator=(const ConsumerHandle&) = delete;
  ~ConsumerHandle();

  base::Result<void> Subscribe(const std::vector<std::string>& topics);
  // Nothing, or what librdkafka says against it.
  std::string Assign(rd_kafka_topic_partition_list_t* more);
  std::string Unassign(rd_kafka_topic_partition_list_t* less);

  // Leaves the group, so that the next client need not wait for this one's session to end. For a
  // client whose events nobody takes any more. Blocks until it has, or `within` is over.
  void Leave(std::chrono::milliseconds within);

  rd_kafka_t* rk() const { return rk_; }
  rd_kafka_queue_t* queue() const { return queue_.get(); }
  GroupRequests& group() const { return *group_; }
  // group.instance.id. A member that has one keeps its place in the group when it closes, until the
  // session's time-out (KIP-345).
  std::string instance_id() const;

 private:
  std::unique_ptr<GroupRequests> group_;  // the client's threads tell it of their requests
  rd_kafka_t* rk_;
  Owned<rd_kafka_queue_t> queue_;
};

}  // namespace outrigger::kafka
