// One subscription at work: a consumer's records into lanes, the lanes' heads to the app, the app's
// verdicts into offsets.
//
// Promises: an event leaves only as done, dropped, filtered, or with its dead letter acked by
// Kafka; offsets are committed up to the oldest that has not left, and what left above it travels
// in the commit's metadata; try n begins when the count n-1 is committed, or
// Kafka does not take it. A revoked partition is
// given back when what was in flight has settled and is committed, or after `rebalance_drain` (at
// the end: after what Stop allows); what is cancelled was not attempted. What Kafka deletes while
// we have it in memory is delivered all the same.
//
// Thread: the deliver flow's loop. Lifetime: Stop before destruction gives the partitions back in
// order; destruction alone leaves that to the session's time-out. Source: contract section 4.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/loop.h"
#include "config/config.h"
#include "deliver/circuit.h"
#include "deliver/concurrency.h"
#include "deliver/dead_letter.h"
#include "deliver/delivery.h"
#include "deliver/metadata_limit.h"
#include "deliver/request.h"
#include "event/json.h"
#include "event/match.h"
#include "http/client.h"
#include "http/reachable.h"
#include "kafka/consumer.h"
#include "kafka/producer.h"
#include "telemetry/causes.h"
#include "telemetry/conditions.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"

namespace outrigger::deliver {

// Publishes a record and says what became of it: the flow's producer.
using Produce = std::function<void(event::Record, kafka::OnReport)>;

struct SubscriptionParts {
  base::Loop& loop;
  const config::Kafka& kafka;
  config::Subscription config;
  base::Duration rebalance_drain;
  Produce produce;
  telemetry::Metrics& metrics;
  telemetry::Conditions& conditions;
  size_t max_waiting_bytes = 32 << 20;  // of events in memory, with all that is kept for them
  kafka::FetchBounds fetch = {};
};

class Subscription {
 public:
  // Needs no broker and no app. Fails on a property, secret, topic or URL that can't be used.
  static base::Result<std::unique_ptr<Subscription>> Create(SubscriptionParts parts);
  Subscription(const Subscription&) = delete;
  Subscription& operator=(const Subscription&) = delete;
  ~Subscription();

  // Dispatches no more, lets what is in flight settle (what has not by `settle_within` is cancelled
  // and delivered again), commits, leaves the group.
  void Stop(base::Duration settle_within, std::function<void()> on_stopped);

  size_t waiting_bytes() const { return lanes_.bytes() + stuck_bytes_; }
  size_t fetched_bytes() const { return consumer_->fetched_bytes(); }

 private:
  Subscription(SubscriptionParts parts, http::Endpoint app, HandlerPath path);
  base::Result<void> Open();

  // subscription.cc: records in, attempts out
  void OnRecords(std::vector<kafka::Consumed> records);
  void Take(Partition& partition, kafka::Consumed record);
  void CantBeDecoded(Delivery& delivery, std::string why);
  std::optional<std::string> LaneKey(const Delivery& delivery) const;
  void Pump();
  void UseRoom(Partition& partition);
  void WakeAt(base::TimePoint when);
  void Attempt(Delivery& delivery);
  void UpdatePauses();
  // What is stuck in `home` takes so many bytes now.
  void CountStuck(Partition& home, size_t bytes);
  bool TooMuchStuck() const;
  size_t MaxLaneBytes() const;
  void UpdatePause(Partition& partition);
  bool RestsAll() const;
  void ShowState();

  // subscription_verdicts.cc: what the app said
  void OnAnswer(uint64_t id, const http::Outcome& outcome);
  void Adapt(const Delivery& delivery, AppCircuit::Kind kind, bool overloaded);
  void Rule(Delivery& delivery, AppCircuit::Fate fate);
  void Apply(AppCircuit::Decision decision);
  void Retry(Delivery& delivery);
  void GiveUp(Delivery& delivery);
  void ShowStuck(const Delivery& delivery, std::string why);
  void LeaveInTopic(Delivery& delivery);
  void SendDeadLetter(Delivery& delivery, Story story);
  void OnDeadLetterRefused(Delivery& delivery, Story story, const kafka::Refusal& refusal);
  void HoldStuck(Delivery& delivery);
  void Settle(Delivery& delivery, telemetry::ConsumerOutcome outcome);
  void Probe();
  void AskHealth(http::OnAnswer on_answer);
  void WatchHealth();
  uint64_t CircuitKey(const Delivery& delivery) const;

  // subscription_partitions.cc: assignments, commits, lag
  void OnAssigned(std::vector<kafka::Assigned> assigned);
  void OnRevoked(std::vector<kafka::TopicPartition> revoked, bool lost,
                 std::function<void()> settled);
  telemetry::ConsumerTopic& TopicSeries(const std::string& topic);
  void GiveBackIfSettled(Partition& partition);
  void GiveBack(Partition& partition);
  bool HasInFlight(const Partition& partition) const;
  void Give(uint64_t number);
  void Forget(uint64_t number);
  void CancelAll(Partition& partition);
  void CommitLater();
  void Commit();
  kafka::Consumer::Offset ToCommit(Partition& partition);
  void SendCommit(std::vector<kafka::Consumer::Offset> offsets);
  void OnCommitted(const kafka::CommitResult& result);
  void OnRefused(Partition& partition, const kafka::CommitResult& result, size_t metadata);
  void LetRetriesGo(Partition& partition, uint64_t version);
  void Measure();
  void MeasureLag(Partition& partition);
  void RemoveLeftSeries();
  Partition* Find(uint64_t number);

  // subscription_resets.cc: what Kafka no longer has
  void OnEnd(uint64_t epoch, int64_t next);
  void OnReset(const kafka::Reset& reset);
  void ShowLost(const kafka::Reset& reset);
  void Retire(Partition& partition);
  void ServeRetired();

  // subscription_state.cc: what /status says
  void AddAppCauses(telemetry::Causes& causes) const;
  void AddKafkaCauses(telemetry::Causes& causes) const;
  void AddCommitCauses(telemetry::Causes& causes) const;

  SubscriptionParts parts_;
  const config::Subscription& config_;
  base::Loop& loop_;
  event::Match match_;
  const http::Endpoint app_;
  HandlerPath path_;
  Lanes lanes_;
  AppCircuit circuit_;
  Concurrency concurrency_;
  event::JsonReader json_;
  http::Client client_;
  http::Client health_client_;  // its own connection: a busy app is not an ill one
  http::Reachable reachable_;
  std::unique_ptr<kafka::Consumer> consumer_;
  std::unordered_map<uint64_t, std::unique_ptr<Partition>> partitions_;  // by number
  std::unordered_map<kafka::TopicPartition, Partition*, kafka::HashOf> by_place_;
  // Of partitions that were lost while Kafka was away: what was last known of them stays.
  std::vector<std::pair<kafka::TopicPartition, telemetry::ConsumerPartition>> left_series_;
  std::unordered_map<uint64_t, Delivery*> deliveries_;  // by id
  std::unordered_map<std::string, telemetry::ConsumerTopic> topics_;
  telemetry::ConsumerSubscription series_;
  std::mt19937_64 random_{std::random_device{}()};
  uint64_t next_id_ = 1;
  std::optional<base::TimePoint> stop_by_;
  uint64_t rebuilds_ = 0;     // of the consumer's client, as counted
  uint32_t unhealthy_ = 0;    // failed health checks in a row
  bool full_ = false;         // the lanes hold as much as they may: nothing is polled
  bool over_ = false;         // … and that for long: the partitions are paused
  bool resting_ = false;      // all partitions are paused, as last told to the consumer
  bool word_warned_ = false;  // of a status that is none of ours
  base::Timer patience_;
  std::map<uint64_t, std::string>
      stuck_;               // by id: why an event that can't be given up holds its key
  size_t stuck_bytes_ = 0;  // that wait for the dead letter topic
  MetadataLimit metadata_limit_;
  telemetry::LogLimit failure_log_, commit_log_, left_log_;
  base::Timer wake_, commit_, measure_, health_;
};

}  // namespace outrigger::deliver
