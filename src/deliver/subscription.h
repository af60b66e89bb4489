// One subscription at work: the records of its group that match go to the app, in order and as
// often as it takes, and what became of each goes into the group's offsets.
//
// It joins what it is made of: a Dispatcher (what goes next), a PushTransport (the attempts),
// AppHealth (the probes) and DeadLetters. Whatever happens to one of them, Turn() does all that
// follows from it.
//
// Thread: the deliver flow's loop. Lifetime: of its group, which outlives it; destruction ends what
// is in flight.
#pragma once

#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/loop.h"
#include "config/config.h"
#include "deliver/app_health.h"
#include "deliver/assigned_partition.h"
#include "deliver/backlog.h"
#include "deliver/circuit_log.h"
#include "deliver/dead_letters.h"
#include "deliver/dispatcher.h"
#include "deliver/push_transport.h"
#include "deliver/topic_filter.h"
#include "event/json.h"
#include "event/match.h"
#include "telemetry/causes.h"
#include "telemetry/metrics.h"

namespace outrigger::deliver {

struct SubscriptionParts {
  base::Loop& loop;
  config::Subscription config;
  kafka::RecordSink sink;
  telemetry::Metrics& metrics;
  event::JsonReader& json;
  Backlog& backlog;
  // This partition's offsets, or what is in flight of it, have changed.
  std::function<void(AssignedPartition&)> touch;
  // A turn is over: the group does its part.
  std::function<void()> on_turned;
};

class Subscription {
 public:
  // Needs no app. Fails on a URL or match that can't be used.
  static base::Result<std::unique_ptr<Subscription>> Create(SubscriptionParts parts);
  Subscription(const Subscription&) = delete;
  Subscription& operator=(const Subscription&) = delete;
  ~Subscription();

  const config::Subscription& config() const { return parts_.config; }
  const std::string& name() const { return parts_.config.name; }
  bool Takes(const std::string& topic) const { return topics_.Takes(topic); }

  // A partition that it takes: before its first record, and at its end, when everything of it that
  // is left is cancelled, which is not an attempt.
  void Join(SubscribedPartition& partition);
  void Leave(SubscribedPartition& partition);

  // A record that the offsets of `partition` have as new. A Turn has to follow.
  void Take(SubscribedPartition& partition, const std::shared_ptr<Fetched>& fetched);
  // As Dispatcher has them. A Turn has to follow.
  void OnCommitted(SubscribedPartition& partition, uint64_t version) {
    dispatcher_.Committed(partition, version);
  }
  bool UseRoom(SubscribedPartition& partition) { return dispatcher_.UseRoom(partition); }

  // Does all that may be done now: carries out what was decided, probes, attempts what may go, and
  // comes again when there is more. Not from within itself.
  void Turn();
  void TurnSoon();

  // Held: nothing more is begun.
  void SetHeld(bool held);
  // Something that was begun, an attempt or the writing of a dead-letter record, is not over.
  bool busy() const {
    return dispatcher_.in_flight() > 0 || dispatcher_.has_decided() || dead_letters_.writing() > 0;
  }
  bool app_down() const { return dispatcher_.state() == AppCircuit::State::kDown; }
  // Whether what AddCauses says has changed since the last call.
  bool TakeChanged() { return std::exchange(changed_, false); }
  void AddCauses(telemetry::Causes& causes) const;
  telemetry::SubscriptionSeries& series() const { return *series_; }

 private:
  Subscription(SubscriptionParts parts, http::Endpoint app, HandlerPath path, event::Match match);

  void CarryOut(const Dispatcher::Decided& decided);
  void Attempt(Delivery& delivery);
  void OnResult(uint64_t id, AttemptResult result);
  void Log(const Delivery& delivery, const Verdict& verdict, bool failed);
  void GiveUp(Delivery& delivery);
  void Settle(Delivery& delivery, telemetry::ConsumerOutcome outcome);
  void Probe();
  void WakeLater(base::TimePoint now);
  void ShowCircuit(base::TimePoint now);

  const SubscriptionParts parts_;
  base::Loop& loop_;
  const event::Match match_;
  const TopicFilter topics_;
  const std::string app_;  // its name
  std::mt19937_64 random_{std::random_device{}()};
  Dispatcher dispatcher_;
  PushTransport transport_;
  AppHealth health_;
  DeadLetters dead_letters_;
  const std::shared_ptr<telemetry::SubscriptionSeries> series_;
  std::vector<Dispatcher::Decided> decided_;  // of this turn
  AppCircuit::State shown_ = AppCircuit::State::kClosed;
  bool changed_ = true;
  bool held_ = false;
  bool word_warned_ = false;  // of a status that is none of ours
  CircuitLog circuit_log_;
  telemetry::LogLimit failure_log_;
  base::Timer wake_;
};

}  // namespace outrigger::deliver
