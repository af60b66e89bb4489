// Partitions that come and go, what is committed of them, and how far behind they are.
#include <algorithm>
#include <utility>

#include "deliver/subscription.h"

namespace outrigger::deliver {
namespace {

constexpr auto kMeasure = std::chrono::seconds(1);
constexpr auto kLookAgain = std::chrono::milliseconds(10);
// Beyond the time that a revoked partition has to settle.
constexpr auto kLastCommit = std::chrono::seconds(1);
constexpr auto kFirstCommitWait = std::chrono::milliseconds(100);
constexpr auto kLongestCommitWait = std::chrono::seconds(2);
constexpr auto kAnswers = std::chrono::seconds(5);  // a coordinator, with the result of a commit
// One commit is one batch of records of __consumer_offsets, which takes a MiB.
constexpr size_t kMostCommitted = 256 << 10;
constexpr size_t kOffsetBytes = 256;

}  // namespace

Partition* Subscription::Find(uint64_t number) {
  const auto found = partitions_.find(number);
  return found == partitions_.end() ? nullptr : found->second.get();
}

void Subscription::OnAssigned(std::vector<kafka::Assigned> assigned) {
  for (auto& given : assigned) {
    // Lost and ours again while it was still settling: its records are for the new one alone.
    if (const auto before = by_place_.find(given.at); before != by_place_.end())
      Give(before->second->number);
    auto partition = std::make_unique<Partition>();
    partition->at = given.at;
    partition->number = given.epoch;
    if (auto progress = DecodeMetadata(given.metadata, given.position)) {
      partition->Restore(std::move(*progress));
    } else if (given.position >= 0) {
      partition->offsets = PartitionOffsets(Progress{given.position, {}, {}});
    }
    // Where it begins is committed at once: after a restart before the first event is settled,
    // "latest" would be another place, and what came in between skipped.
    if (given.position >= 0 && !given.committed) {
      partition->offsets.CommitStart();
      CommitLater();
    }
    partition->topic = &TopicSeries(given.at.topic);
    partition->series = parts_.metrics.Partition(config_.group, given.at.topic, given.at.partition);
    by_place_[partition->at] = partition.get();
    UpdatePause(*partition);
    partitions_[partition->number] = std::move(partition);
  }
  UpdatePauses();
  ShowState();
}

telemetry::ConsumerTopic& Subscription::TopicSeries(const std::string& topic) {
  auto series = topics_.find(topic);
  if (series == topics_.end())
    series = topics_.emplace(topic, parts_.metrics.Consumer(config_.name, topic)).first;
  return series->second;
}

void Subscription::OnRevoked(std::vector<kafka::TopicPartition> revoked, bool lost,
                             std::function<void()> settled) {
  // The answer is one for all; it is given with the last of them.
  auto left = std::make_shared<size_t>(1);
  const auto one_less = [left, settled = std::move(settled)] {
    if (--*left == 0) settled();
  };
  // Another pod waits for what a rebalance revokes; the end has time of its own.
  const base::TimePoint by = stop_by_.value_or(loop_.Now() + parts_.rebalance_drain);
  for (const auto& at : revoked) {
    const auto found = by_place_.find(at);
    if (found == by_place_.end()) continue;
    Partition* partition = found->second;
    if (lost) {
      left_series_.emplace_back(at, partition->series);  // whether Kafka is away is seen later
      Forget(partition->number);
      continue;
    }
    ++*left;
    partition->settled = one_less;
    partition->give_by = by;
    partition->drain = loop_.After(by - loop_.Now(), [this, partition] { GiveBack(*partition); });
  }
  // Given back only after all are marked: a partition may go at once.
  std::vector<uint64_t> numbers;
  for (const auto& [number, partition] : partitions_) numbers.push_back(number);
  for (const uint64_t number : numbers)
    if (Partition* partition = Find(number); partition && partition->revoked())
      GiveBackIfSettled(*partition);
  one_less();
  ShowState();
  WakeAt(loop_.Now());  // what was cancelled has made room
}

bool Subscription::HasInFlight(const Partition& partition) const {
  return std::ranges::any_of(partition.deliveries,
                             [](const auto& each) { return each.second->call != 0; });
}

void Subscription::GiveBackIfSettled(Partition& partition) {
  if (!HasInFlight(partition)) GiveBack(partition);
}

// What is in flight still is cancelled, which is not an attempt; the rest is committed, and then it
// is given back: at the end of its time without the commit too, since another pod waits for it.
void Subscription::GiveBack(Partition& partition) {
  CancelAll(partition);
  const base::TimePoint now = loop_.Now();
  const bool dirty = partition.offsets.dirty() && partition.offsets.committable() >= 0;
  if (!dirty && !partition.committing) return Give(partition.number);
  if (now >= partition.give_by + kLastCommit) {
    telemetry::Log(telemetry::Level::kWarn,
                   "the last commit of a revoked partition was not taken in its time: events are "
                   "delivered again",
                   {{"partition", partition.at.text()}, {"error", partition.commit_refused}});
    return Give(partition.number);
  }
  // A commit under way is older than what has settled since; it comes first.
  if (!partition.committing && now >= partition.commit_at) SendCommit({ToCommit(partition)});
  partition.drain = loop_.After(kLookAgain, [this, at = &partition] { GiveBack(*at); });
}

void Subscription::Give(uint64_t number) {
  Partition* partition = Find(number);
  if (!partition) return;
  const auto settled = std::move(partition->settled);
  Forget(number);
  if (settled) settled();
  WakeAt(loop_.Now());  // what was cancelled has made room
}

void Subscription::CancelAll(Partition& partition) {
  lanes_.RemovePartition(partition.number);
  for (const auto& [offset, delivery] : partition.deliveries) {
    if (delivery->call != 0) client_.Cancel(delivery->call);
    circuit_.Forget(delivery->id);
    stuck_.erase(delivery->id);
    deliveries_.erase(delivery->id);
  }
  partition.deliveries.clear();
  CountStuck(partition, 0);
  partition.awaiting_commit.clear();
  partition.waiting_for_room.clear();
}

void Subscription::Forget(uint64_t number) {
  const auto found = partitions_.find(number);
  if (found == partitions_.end()) return;
  Partition& partition = *found->second;
  CancelAll(partition);
  const bool left = std::ranges::any_of(
      left_series_, [&](const auto& each) { return each.first == partition.at; });
  if (!left) parts_.metrics.Remove(partition.series);
  if (!partition.retired) by_place_.erase(partition.at);
  partitions_.erase(found);
}

void Subscription::CommitLater() {
  if (commit_.armed()) return;
  commit_ = loop_.After(config_.commit_interval, [this] { Commit(); });
}

void Subscription::Commit() {
  ServeRetired();
  std::vector<kafka::Consumer::Offset> offsets;
  size_t bytes = 0;
  for (const auto& [number, partition] : partitions_) {
    const auto& state = partition->offsets;
    if (!state.dirty() || partition->committing || partition->revoked() || partition->retired ||
        state.committable() < 0)
      continue;
    if (loop_.Now() < partition->commit_at) {
      CommitLater();
      continue;
    }
    offsets.push_back(ToCommit(*partition));
    UpdatePause(*partition);
    bytes += kOffsetBytes + offsets.back().metadata.size();
    if (bytes < kMostCommitted) continue;
    SendCommit(std::exchange(offsets, {}));
    bytes = 0;
  }
  if (!offsets.empty()) SendCommit(std::move(offsets));
}

kafka::Consumer::Offset Subscription::ToCommit(Partition& partition) {
  const Progress progress = partition.progress();
  std::string metadata = EncodeWithin(progress);
  partition.metadata_full = !FitsMetadata(metadata.size());
  const base::TimePoint now = loop_.Now();
  if (const size_t limit = metadata_limit_.bytes(now); metadata.size() > limit)
    metadata = EncodeWithin(progress, limit);
  partition.committing = {partition.offsets.version(), metadata.size(), now};
  return {partition.at, partition.number, progress.committed, std::move(metadata)};
}

void Subscription::SendCommit(std::vector<kafka::Consumer::Offset> offsets) {
  consumer_->Commit(std::move(offsets), [this](const std::vector<kafka::CommitResult>& results) {
    for (const auto& result : results) OnCommitted(result);
    Pump();
  });
}

void Subscription::OnCommitted(const kafka::CommitResult& result) {
  Partition* partition = Find(result.epoch);
  if (!partition || !partition->committing) return;
  const auto committing = *std::exchange(partition->committing, std::nullopt);
  if (result.taken()) {
    partition->commit_wait = {};
    if (!partition->commit_refused.empty()) {
      partition->commit_refused.clear();
      ShowState();
    }
    partition->offsets.Committed(committing.version);
    LetRetriesGo(*partition, committing.version);
  } else {
    OnRefused(*partition, result, committing.metadata);
  }
  if (partition->revoked()) {
    // What is no longer ours waits for nothing.
    if (result.refusal == kafka::CommitRefusal::kNotMember) return Give(partition->number);
    return GiveBackIfSettled(*partition);
  }
  if (partition->offsets.dirty()) CommitLater();
}

void Subscription::OnRefused(Partition& partition, const kafka::CommitResult& result,
                             size_t metadata) {
  using kafka::CommitRefusal;
  const base::TimePoint now = loop_.Now();
  series_.commits_refused.Increment();
  if (uint64_t held_back; commit_log_.Allow(now, held_back)) {
    telemetry::Log(telemetry::Level::kWarn, "Kafka did not take the offset of a partition",
                   {{"subscription", config_.name},
                    {"group", config_.group},
                    {"partition", result.at.text()},
                    {"error", result.why},
                    {"hint", kafka::HintOf(result.refusal)},
                    {"metadata_bytes", std::to_string(metadata)},
                    {"held_back", std::to_string(held_back)}});
  }
  if (result.refusal == CommitRefusal::kMetadataTooLarge &&
      metadata_limit_.Refused(metadata, now)) {
    ShowState();
    return;  // again at once, with less
  }
  partition.commit_wait =
      std::clamp<base::Duration>(partition.commit_wait * 2, kFirstCommitWait, kLongestCommitWait);
  partition.commit_at = now + partition.commit_wait;
  if (result.refusal == CommitRefusal::kNotMember) return;  // its revocation follows
  // Attempts are counted in memory meanwhile: what Kafka does not take must not hold events up.
  LetRetriesGo(partition, partition.offsets.version());
  // What passes by itself is told when it does not.
  if (result.refusal == CommitRefusal::kPassing && partition.commit_refused.empty() &&
      partition.commit_wait < kLongestCommitWait)
    return;
  partition.commit_refused = result.why;
  if (const std::string hint = kafka::HintOf(result.refusal); !hint.empty())
    partition.commit_refused += "; " + hint;
  ShowState();
}

// The next tries of events whose count `version` has.
void Subscription::LetRetriesGo(Partition& partition, uint64_t version) {
  std::vector<uint64_t> waiting;
  waiting.swap(partition.awaiting_commit);
  for (const uint64_t id : waiting) {
    const auto delivery = deliveries_.find(id);
    if (delivery == deliveries_.end()) continue;
    if (delivery->second->counted_version > version) {
      partition.awaiting_commit.push_back(id);
    } else {
      lanes_.RetryAt(delivery->second, delivery->second->next_try);
    }
  }
}

void Subscription::Measure() {
  measure_ = loop_.After(kMeasure, [this] { Measure(); });
  for (const auto& [number, partition] : partitions_) {
    if (partition->retired) continue;
    MeasureLag(*partition);
    // A coordinator that does not answer at all holds no event up for ever.
    if (partition->committing && loop_.Now() - partition->committing->since > kAnswers)
      LetRetriesGo(*partition, partition->offsets.version());
  }
  RemoveLeftSeries();
  series_.rebuilds.Increment(static_cast<double>(consumer_->rebuilds() - rebuilds_));
  rebuilds_ = consumer_->rebuilds();
  ShowState();
  Pump();
}

void Subscription::MeasureLag(Partition& partition) {
  const base::TimePoint now = loop_.Now();
  std::optional<Held> oldest;
  if (!partition.deliveries.empty()) {
    const Delivery& first = *partition.deliveries.begin()->second;
    oldest = Held{first.record.timestamp_ms, first.fetched};
  }
  partition.series.oldest_unsettled_age.Set(
      oldest ? std::chrono::duration<double>(now - oldest->fetched).count() : 0);
  const auto marks = consumer_->WatermarksOf(partition.at);
  const int64_t next = partition.offsets.committable();
  // What is not known is not 0: the last value stays.
  if (marks && next >= 0) partition.lag = std::max<int64_t>(marks->high - next, 0);
  if (!partition.lag) return;
  partition.series.lag.Set(static_cast<double>(*partition.lag));
  partition.series.lag_seconds.Set(
      partition.lag_age.Seconds(*partition.lag, next, oldest, now, loop_.Wall()));
}

// Kafka is back and the group has shared its partitions out: those of others are theirs to tell of.
void Subscription::RemoveLeftSeries() {
  if (left_series_.empty() || !consumer_->connection().connected || !consumer_->joined()) return;
  for (const auto& [at, series] : left_series_)
    if (!by_place_.contains(at)) parts_.metrics.Remove(series);
  left_series_.clear();
}

}  // namespace outrigger::deliver
