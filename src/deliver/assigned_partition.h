// One assignment of a partition to a group: what each of its subscriptions has of it, the commits
// of its offset, how far behind it is, and its end.
//
// Its offset is the oldest that any subscription has not settled; what each settled above it and
// the attempts so far travel in the commit's metadata (commit_metadata.h).
//
// Thread: the deliver flow's. Lifetime: from its assignment until it is handed over; of a topic
// that was deleted (Retire) until its last event has settled. Errors: what Kafka refuses is in
// commit_refused() until a commit is taken.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/loop.h"
#include "deliver/delivery.h"
#include "deliver/lag.h"
#include "deliver/metadata_room.h"
#include "kafka/consumer.h"
#include "telemetry/metrics.h"

namespace outrigger::deliver {

class AssignedPartition {
 public:
  explicit AssignedPartition(kafka::Assigned assigned) : assigned_(std::move(assigned)) {}
  AssignedPartition(const AssignedPartition&) = delete;
  AssignedPartition& operator=(const AssignedPartition&) = delete;

  // One of the group's subscriptions takes its topic. `id`: of its section in the metadata.
  SubscribedPartition& Add(Subscription& subscription, uint32_t id);
  // One that comes later: it begins with the records that come next.
  SubscribedPartition& AddLater(Subscription& subscription, uint32_t id);
  // A subscription that takes it no longer; the events of `part` are gone already.
  void Remove(const SubscribedPartition& part);
  // Whether the group has no other subscription than one.
  void SetAlone(bool alone) { alone_ = alone; }
  // From what was committed; when every subscription was added.
  void Restore();
  // Its topic was deleted and created again, unseen: what is known of its offsets means nothing.
  void StartOver();
  // Every record below `next` has come, or does not exist.
  void PassTo(int64_t next);

  const kafka::TopicPartition& at() const { return assigned_.at; }
  uint64_t number() const { return assigned_.epoch; }
  const std::vector<std::unique_ptr<SubscribedPartition>>& parts() const { return parts_; }
  size_t in_flight() const;

  // ---- what is committed
  int64_t committable() const;  // -1: nothing was fetched or committed yet
  bool dirty() const;
  bool committing() const { return committing_.has_value(); }
  bool MayCommit(base::TimePoint now) const { return now >= commit_at_; }  // after a refusal: later
  // What is committed now, with no more than `limit` bytes of metadata.
  kafka::Consumer::Offset BeginCommit(size_t limit, base::TimePoint now);
  struct Commit {
    std::vector<uint64_t> versions;  // of the offsets of each of parts()
    size_t metadata = 0;             // bytes
    base::TimePoint since;
  };
  const std::optional<Commit>& commit() const { return committing_; }
  // It has its answer. nullopt: no answer is waited for.
  std::optional<Commit> EndCommit() { return std::exchange(committing_, std::nullopt); }
  // True: `commit_refused` has changed.
  bool OnTaken(const Commit& commit);
  void CommitLater(base::TimePoint now);  // it was refused: not before some time
  bool patient() const;                   // … which it has not been for long
  void SetRefused(std::string why) { commit_refused_ = std::move(why); }
  const std::string& commit_refused() const { return commit_refused_; }
  // Of what would be fetched now nothing could be begun.
  bool full() const;

  // ---- what its gauges show
  void SetSeries(const telemetry::ConsumerPartition& series) { series_ = series; }
  const telemetry::ConsumerPartition& series() const { return series_; }
  void Measure(std::optional<kafka::Consumer::Watermarks> marks, base::TimePoint now,
               base::WallTime wall);

  // ---- its end
  void Revoke(std::function<void()> settled, base::TimePoint by);
  bool revoked() const { return settled_ != nullptr; }
  base::TimePoint release_by() const { return release_by_; }
  std::function<void()> TakeSettled() { return std::exchange(settled_, nullptr); }
  void Retire();
  bool retired() const { return retired_; }
  size_t unsettled() const;

  // The group's own: what it told the consumer, the next look at its end, and whether it is in the
  // list of those to look at.
  bool paused = false;
  bool touched = false;
  base::Timer again;

 private:
  const kafka::Assigned assigned_;
  std::vector<std::unique_ptr<SubscribedPartition>> parts_;
  std::vector<uint32_t> ids_;  // of parts_
  bool alone_ = true;
  MetadataRoom room_;
  std::optional<Commit> committing_;
  bool metadata_full_ = false;
  base::Duration commit_wait_{};  // after refusals in a row
  base::TimePoint commit_at_{};   // … and so not before
  std::string commit_refused_;    // why the last one was; empty: it was not
  telemetry::ConsumerPartition series_;
  LagAge lag_age_;
  std::optional<int64_t> lag_;     // as last known
  std::function<void()> settled_;  // set: revoked, to be called when nothing is in flight
  base::TimePoint release_by_{};   // … and by then without, but for the last commit
  bool retired_ = false;           // delivered from memory, never committed
};

}  // namespace outrigger::deliver
