// Offsets on their way to the group's coordinator.
//
// A commit waits while the group is joined again: one that follows a JoinGroup is refused and costs
// all partitions (group_requests.h). One of a partition that is no longer assigned under its epoch
// is refused without being sent.
//
// Thread: the loop's; results come on it, never inside a call of this class but OnEvent. Lifetime:
// client and partitions outlive it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "kafka/consumer.h"
#include "kafka/consumer_client.h"
#include "kafka/held_partitions.h"
#include "kafka/starting_points.h"

namespace outrigger::kafka {

class CommitRequests {
 public:
  // `on_taken`: the coordinator has taken a commit of this partition.
  CommitRequests(ConsumerClient& client, const HeldPartitions& held,
                 std::function<void(const TopicPartition&)> on_taken);

  void Commit(std::vector<Consumer::Offset> offsets, Consumer::OnCommitted on_done);
  // Where a new group begins, of partitions that are not assigned yet; it waits for the end of a
  // rejoin until `until`.
  void CommitBeginning(const std::vector<StartingPoint>& points, base::TimePoint until,
                       Consumer::OnCommitted on_done);
  void OnEvent(rd_kafka_event_t& event);
  // Partitions were released: librdkafka joins again at once.
  void OnReleased();
  void RefuseAll(const std::string& why);

 private:
  struct Request {
    std::vector<Consumer::Offset> offsets;
    Consumer::OnCommitted on_done;
    base::TimePoint until;
    bool beginning = false;
  };

  bool Rejoining() const;
  std::string Tag(const TopicIdentity& identity, const std::string& metadata) const;
  void SendAll();
  void Send(Request request);
  CommitResult ResultOf(const Request& request, const Consumer::Offset& offset,
                        rd_kafka_resp_err_t error);
  void Refuse(Request request, CommitRefusal refusal, const std::string& why);

  ConsumerClient& client_;
  const HeldPartitions& held_;
  const std::function<void(const TopicPartition&)> on_taken_;
  std::deque<Request> waiting_;       // for the end of a rejoin
  std::map<uint64_t, Request> sent_;  // librdkafka has them
  uint64_t last_id_ = 0;
  bool tags_ = true;  // the broker has room for topic identities beside the flow's metadata
  base::TimePoint rejoin_until_;
  base::Timer again_;
};

}  // namespace outrigger::kafka
