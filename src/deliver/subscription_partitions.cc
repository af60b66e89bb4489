// Partitions that come and go, what is committed of them, and how far behind they are.
#include "deliver/subscription.h"

namespace outrigger::deliver {
namespace {

constexpr auto kMeasure = std::chrono::seconds(1);
constexpr auto kCommitAgain = std::chrono::milliseconds(100);

}  // namespace

Partition* Subscription::Find(const std::string& topic, int32_t partition) {
  for (const auto& [number, owned] : partitions_)
    if (owned->at.partition == partition && owned->at.topic == topic && !owned->retired)
      return owned.get();
  return nullptr;
}

void Subscription::OnAssigned(std::vector<kafka::Assigned> assigned) {
  for (auto& given : assigned) {
    // Lost and ours again while it was still settling: its records are for the new one alone.
    if (const Partition* before = Find(given.at.topic, given.at.partition)) Give(before->number);
    auto partition = std::make_unique<Partition>();
    partition->at = given.at;
    partition->epoch = given.epoch;
    partition->number = next_number_++;
    if (auto progress = DecodeMetadata(given.metadata, given.position)) {
      partition->offsets = PartitionOffsets(std::move(*progress));
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
    Partition* partition = Find(at.topic, at.partition);
    if (!partition) continue;
    if (lost) {
      CancelAll(*partition);
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
  for (const uint64_t number : numbers) {
    const auto found = partitions_.find(number);
    if (found != partitions_.end() && found->second->revoked()) GiveBackIfSettled(*found->second);
  }
  one_less();
  ShowState();
  WakeAt(loop_.Now());  // what was cancelled has made room
}

void Subscription::GiveBackIfSettled(Partition& partition) {
  for (const auto& [offset, delivery] : partition.deliveries)
    if (delivery->call != 0) return;  // the app has it
  GiveBack(partition);
}

// What is in flight still is cancelled, which is not an attempt; the rest is committed, and then it
// is given back.
void Subscription::GiveBack(Partition& partition) {
  partition.drain.Cancel();
  CancelAll(partition);
  if (partition.committing) {
    // The commit under way is older than what has settled since; it comes first.
    partition.drain =
        loop_.After(std::chrono::milliseconds(20), [this, at = &partition] { GiveBack(*at); });
    return;
  }
  if (!partition.offsets.dirty() || partition.offsets.committable() < 0)
    return Give(partition.number);
  partition.committing = true;
  const auto progress = partition.offsets.progress();
  consumer_->Commit(
      {{partition.at, partition.epoch, progress.committed, EncodeWithin(progress)}},
      [this, number = partition.number](const base::Result<void>& result) {
        const auto found = partitions_.find(number);
        if (found == partitions_.end()) return;
        Partition& given = *found->second;
        if (!result && loop_.Now() < given.give_by) {
          given.committing = false;
          given.drain = loop_.After(kCommitAgain, [this, &given] { GiveBack(given); });
          return;
        }
        if (!result)
          telemetry::Log(
              telemetry::Level::kWarn,
              "the last commit of a revoked partition failed: events are delivered again",
              {{"partition", given.at.text()}, {"error", result.error().message}});
        Give(number);
      });
}

void Subscription::Give(uint64_t number) {
  const auto found = partitions_.find(number);
  if (found == partitions_.end()) return;
  const auto settled = std::move(found->second->settled);
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
  partition.awaiting_commit.clear();
}

void Subscription::Forget(uint64_t number) {
  const auto found = partitions_.find(number);
  if (found == partitions_.end()) return;
  CancelAll(*found->second);
  parts_.metrics.Remove(found->second->series);
  partitions_.erase(found);
}

void Subscription::CommitLater() {
  if (commit_.armed()) return;
  commit_ = loop_.After(config_.commit_interval, [this] { Commit(); });
}

void Subscription::Commit() {
  ServeRetired();
  std::vector<kafka::Consumer::Offset> offsets;
  std::vector<std::pair<uint64_t, uint64_t>> versions;  // of partitions, by number
  for (const auto& [number, partition] : partitions_) {
    auto& state = partition->offsets;
    if (!state.dirty() || partition->committing || partition->revoked() || partition->retired ||
        state.committable() < 0)
      continue;
    const Progress progress = state.progress();
    std::string metadata = EncodeWithin(progress);
    partition->metadata_full = !FitsMetadata(metadata.size());
    partition->committing = true;
    versions.emplace_back(number, state.version());
    offsets.push_back({partition->at, partition->epoch, progress.committed, std::move(metadata)});
  }
  UpdatePauses();
  if (offsets.empty()) return;
  consumer_->Commit(std::move(offsets),
                    [this, versions = std::move(versions)](const base::Result<void>& result) {
                      for (const auto& [number, version] : versions)
                        OnCommitted(number, version, result.has_value());
                      Pump();
                    });
}

void Subscription::OnCommitted(uint64_t number, uint64_t version, bool taken) {
  const auto found = partitions_.find(number);
  if (found == partitions_.end()) return;
  Partition& partition = *found->second;
  partition.committing = false;
  if (taken) {
    partition.offsets.Committed(version);
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
  if (partition.offsets.dirty()) CommitLater();
}

void Subscription::Measure() {
  measure_ = loop_.After(kMeasure, [this] { Measure(); });
  const base::TimePoint now = loop_.Now();
  for (const auto& [number, partition] : partitions_) {
    if (partition->retired) continue;
    const auto marks = consumer_->WatermarksOf(partition->at);
    const int64_t next = partition->offsets.committable();
    const int64_t lag = marks && next >= 0 ? std::max<int64_t>(marks->high - next, 0) : 0;
    partition->series.lag.Set(static_cast<double>(lag));
    std::optional<Held> oldest;
    if (!partition->deliveries.empty()) {
      const Delivery& first = *partition->deliveries.begin()->second;
      oldest = Held{first.record.timestamp_ms, first.fetched};
    }
    partition->series.oldest_unsettled_age.Set(
        oldest ? std::chrono::duration<double>(now - oldest->fetched).count() : 0);
    partition->series.lag_seconds.Set(
        partition->lag_age.Seconds(lag, next, oldest, now, loop_.Wall()));
  }
  series_.rebuilds.Increment(static_cast<double>(consumer_->rebuilds() - rebuilds_));
  rebuilds_ = consumer_->rebuilds();
  ShowState();
}

}  // namespace outrigger::deliver
