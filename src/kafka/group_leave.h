// The end of a membership: what is assigned is settled, then the group is left, then the client
// ends.
//
// rd_kafka_unsubscribe leaves the group also without partitions, and after a rejoin that is under
// way; closing the client does not (group_requests.h). A static member keeps its place in the group
// (KIP-345).
//
// Thread: the loop's; events and `on_closed` come on it. Lifetime: what it refers to outlives it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "kafka/consumer_client.h"

namespace outrigger::kafka {

class GroupLeave {
 public:
  enum class Phase { kMember, kSettling, kLeaving, kEndingClient, kClosed };

  struct Events {
    std::function<void()> poll;  // takes what the client tells; ends in OnPolled
    std::function<void(const std::vector<TopicPartition>&)> release;  // answers a revocation
  };
  GroupLeave(ConsumerClient& client, std::string group, Events events);

  // The flow begins to settle what is assigned.
  void Begin(std::function<void()> on_closed);
  // Everything is settled. `connected`: else the group is not told.
  void Leave(bool connected);
  // A revocation that asks for partitions which are being settled already: answered when the group
  // is left.
  void Owe(std::vector<TopicPartition> at) { owed_ = std::move(at); }
  // The client has failed, so there is nothing to wait for.
  void OnClientFailed() { client_failed_ = true; }
  // The client's queue was polled until it was empty.
  void OnPolled();

  Phase phase() const { return phase_; }
  bool closing() const { return phase_ != Phase::kMember; }
  bool leaving() const { return phase_ > Phase::kSettling; }

 private:
  void EndClient();
  void AnswerOwed();

  ConsumerClient& client_;
  const std::string group_;
  const Events events_;
  std::function<void()> on_closed_;
  Phase phase_ = Phase::kMember;
  bool client_failed_ = false;
  std::optional<std::vector<TopicPartition>> owed_;
  base::Timer look_again_, leave_at_last_;
};

}  // namespace outrigger::kafka
