// One consumer group: one consumer, and one or several subscriptions that share what it fetches.
//
// Promises: each record is fetched once and given to every subscription whose topics and match take
// it; the partition's offset moves when all of them have settled it. An event leaves only as done,
// dropped, filtered, or with its dead-letter record acked by Kafka. A subscription that is slow,
// fails, or whose app is down delays only itself, until what waits for it reaches the bound of
// memory (Backlog) or of the commit's metadata (MetadataRoom). A revoked partition is handed over
// when what was in flight has settled and is committed, or after `rebalance_drain` (at the end:
// after what Stop allows); what is cancelled was not attempted. What Kafka deletes while we have it
// in memory is delivered all the same.
//
// Thread: the deliver flow's loop. Lifetime: Stop before destruction leaves the group in order;
// destruction alone leaves that to the session's time-out. Source: contract section 4.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/loop.h"
#include "config/config.h"
#include "deliver/assignment.h"
#include "deliver/backlog.h"
#include "deliver/offset_commits.h"
#include "deliver/roster.h"
#include "deliver/subscription.h"
#include "event/json.h"
#include "kafka/consumer.h"
#include "telemetry/conditions.h"
#include "telemetry/metrics.h"

namespace outrigger::deliver {

// What a reload may change.
struct GroupOptions {
  std::vector<config::Subscription> subscriptions;  // of one group: at least one, at most 32
  base::Duration rebalance_drain = std::chrono::seconds(5);
  // How much may wait in memory for the apps and for dead-letter topics, with what is kept for it.
  size_t max_waiting_bytes = 32 << 20;
};

struct GroupParts {
  base::Loop& loop;
  const config::Kafka& kafka;
  kafka::RecordSink sink;  // of dead-letter records
  telemetry::Metrics& metrics;
  telemetry::Conditions& conditions;
  // A subscription that is not wanted any more is destroyed next.
  std::function<void(const std::string& name)> on_gone = [](const std::string&) {};
  kafka::FetchBounds fetch = {};
  GroupOptions options;
};

class Group {
 public:
  // Needs no broker and no app. Fails on a property, secret, topic or URL that can't be used.
  static base::Result<std::unique_ptr<Group>> Create(GroupParts parts);
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;
  ~Group();

  // Subscriptions change one by one (Roster); the others keep their partitions and what is in
  // flight, also when topics come or go.
  void Apply(GroupOptions options);
  // GroupParts::kafka has changed: a new client takes over, when everything is revoked as by a
  // rebalance.
  void ApplyKafka() { consumer_->SetKafka(parts_.kafka); }

  // Dispatches no more, lets what is in flight settle (what has not by `settle_within` is cancelled
  // and delivered again), commits, leaves the group.
  void Stop(base::Duration settle_within, std::function<void()> on_stopped);

  std::vector<std::string> names() const;  // of its subscriptions

  // What is in memory until the apps or the dead-letter topics have it.
  size_t waiting_bytes() const { return backlog_.all_bytes(); }
  // What librdkafka has fetched ahead of that, as far as it can be told.
  size_t fetched_bytes() const { return consumer_->fetched_bytes(); }

 private:
  explicit Group(GroupParts parts);
  base::Result<void> Open();
  base::Result<std::unique_ptr<Subscription>> CreateSubscription(
      const config::Subscription& config);

  // What the consumer tells.
  void OnRecords(std::vector<kafka::Consumed> records);
  void Take(AssignedPartition& partition, kafka::Consumed record);
  void OnAssigned(std::vector<kafka::Assigned> assigned);
  void OnRevoked(const std::vector<kafka::TopicPartition>& revoked, bool lost,
                 std::function<void()> settled);
  void OnEnd(uint64_t epoch, int64_t next);
  void OnReset(const kafka::Reset& reset);

  // What follows from it, for the subscriptions and for itself.
  void Turn();
  void AfterTurn();
  void Touch(AssignedPartition& partition);
  void Follow(AssignedPartition& partition);
  void Serve(AssignedPartition& retired);
  void UpdatePauses();
  void UpdatePause(AssignedPartition& partition);

  // The end of an assignment.
  void ReleaseWhenSettled(AssignedPartition& partition);
  void Release(AssignedPartition& partition);
  void Forget(AssignedPartition& partition);
  void CancelAll(AssignedPartition& partition);

  void OnOthers();
  void Measure();
  void ShowAll();
  void Show(const Subscription& subscription);

  GroupParts parts_;
  base::Loop& loop_;
  const std::string name_;
  event::JsonReader json_;
  Backlog backlog_;
  Assignment assignment_;
  std::vector<AssignedPartition*> touched_;  // to look at after the turn
  OffsetCommits commits_;
  Roster roster_;
  Roster::Topics topics_;  // that the consumer is subscribed to
  std::unique_ptr<kafka::Consumer> consumer_;
  std::optional<base::TimePoint> stop_by_;
  uint64_t rebuilds_ = 0;  // of the consumer's client, as counted
  std::optional<uint64_t>
      paused_for_;  // what every partition's pause depends on, as last seen: bits
  base::Timer measure_;
};

}  // namespace outrigger::deliver
