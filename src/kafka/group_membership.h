// A consumer's place in its group: partitions come and go, and the group is left.
//
// librdkafka waits for one answer (incremental assign or unassign) to each rebalance event. `step_`
// is the event that is not answered yet: an assignment whose starting points are being asked for,
// or a revocation that the flow is settling. A new event overtakes a step only when partitions were
// lost. What is held, librdkafka fetches for us.
//
// Thread: the loop's; events come on it. Lifetime: what it refers to outlives it. Source:
// librdkafka's INTRODUCTION.md (consumer groups), KIP-429.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kafka/assignment_start.h"
#include "kafka/commit_requests.h"
#include "kafka/consumer.h"
#include "kafka/consumer_client.h"
#include "kafka/consumer_health.h"
#include "kafka/group_join.h"
#include "kafka/group_leave.h"
#include "kafka/held_partitions.h"
#include "kafka/topic_identities.h"

namespace outrigger::kafka {

class GroupMembership {
 public:
  struct Events {
    std::function<void()> poll;  // as GroupLeave's
    std::function<void(std::vector<Assigned>)> on_assigned;
    std::function<void(std::vector<TopicPartition>, bool lost, std::function<void()> settled)>
        on_revoked;  // as ConsumerHandler's
    std::function<void(const Reset&)> on_reset;
    std::function<void()> on_renewable;                    // Renew is done
    std::function<void(const std::string& why)> on_fatal;  // the client took no answer
  };

  GroupMembership(ConsumerClient& client, ConsumerHealth& health, HeldPartitions& held,
                  CommitRequests& commits, TopicIdentities& identities,
                  const ConsumerOptions& options, Events events);

  void OnRebalance(rd_kafka_event_t& event);
  // The client is done for: the group gives its partitions to others when the session ends.
  void OnClientFailed(const std::string& why);
  // A topic is there that was missing, last at `missing_at`.
  void OnTopicCame(base::TimePoint missing_at);
  void OnPolled() { leave_.OnPolled(); }

  // Settles everything as a revocation would, for a new client. Not while stepping.
  void Renew();
  // Settles everything and leaves. `client_works`: else there is nothing to wait for.
  void Close(bool client_works, std::function<void()> on_closed);

  // Of a partition that is assigned; else nothing.
  void Pause(const TopicPartition& at);
  void Resume(const TopicPartition& at);
  // The assignment goes on at `offset`.
  void MoveTo(const TopicPartition& at, int64_t offset);
  // The assignment ends without a revocation, and one of another epoch begins.
  void BeginAgain(StartingPoint point);

  bool joined() const { return join_.joined(); }
  // A rebalance event is not answered yet; librdkafka passes no records on.
  bool stepping() const { return step_.has_value(); }
  bool closing() const { return leave_.closing(); }
  bool closed() const { return leave_.phase() == GroupLeave::Phase::kClosed; }
  const std::shared_ptr<GroupStart>& group_start() const { return start_.group_start(); }

 private:
  struct Step {
    enum class Kind { kAssign, kRevoke, kClose, kRenew };
    uint64_t id = 0;
    Kind kind = Kind::kAssign;
    std::vector<TopicPartition> at;
  };

  uint64_t BeginStep(Step::Kind kind, std::vector<TopicPartition> at);
  void EndStep();
  bool AtStep(uint64_t id) const { return step_ && step_->id == id; }

  void StartAssign(std::vector<TopicPartition> at);
  void Hold(const std::vector<StartingPoint>& points);

  void StartRevoke(std::vector<TopicPartition> at);
  void Lose(std::vector<TopicPartition> at);
  void TellLost(std::vector<TopicPartition> at);
  void SettleRevoked(std::vector<TopicPartition> fresh);
  void Settle(Step::Kind kind, std::vector<TopicPartition> fresh, std::vector<TopicPartition> all);
  void OnSettled(uint64_t step);
  // False: the client did not take it, and is done for.
  bool Release(const std::vector<TopicPartition>& at);

  void OnRebalanceWhileClosing(bool revoke, bool lost, const std::vector<TopicPartition>& at);
  void CloseNext();
  void Leave() { leave_.Leave(health_.connected()); }

  ConsumerClient& client_;
  ConsumerHealth& health_;
  HeldPartitions& held_;
  CommitRequests& commits_;
  TopicIdentities& identities_;
  const Events events_;
  AssignmentStart start_;
  GroupLeave leave_;
  std::optional<Step> step_;
  uint64_t last_step_ = 0;
  GroupJoin join_;
};

}  // namespace outrigger::kafka
