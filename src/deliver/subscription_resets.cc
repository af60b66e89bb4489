// What Kafka no longer has: records that were deleted before they came, and topics that were
// deleted and created again.
#include "deliver/subscription.h"

namespace outrigger::deliver {

using telemetry::LostReason;

void Subscription::OnEnd(uint64_t epoch, int64_t next) {
  Partition* partition = Find(epoch);
  if (!partition || partition->revoked() || partition->retired) return;
  partition->offsets.PassTo(next);
  if (partition->offsets.dirty()) CommitLater();
}

void Subscription::OnReset(const kafka::Reset& reset) {
  const bool truncated = reset.reason == kafka::ResetReason::kTruncated;
  TopicSeries(reset.at.topic)[truncated ? LostReason::kTruncated : LostReason::kDeleted].Increment(
      static_cast<double>(reset.lost));
  if (reset.lost > 0 || truncated) ShowLost(reset);
  const auto found = by_place_.find(reset.at);
  if (found == by_place_.end() || found->second->revoked()) return;
  Partition& partition = *found->second;
  if (reset.reason != kafka::ResetReason::kDeleted) return Retire(partition);
  partition.offsets.PassTo(reset.to);
  CommitLater();
}

void Subscription::ShowLost(const kafka::Reset& reset) {
  std::string reason = "Deleted";
  std::string message = reset.at.text() + ": ";
  if (reset.reason == kafka::ResetReason::kDeleted) {
    message += "the records from offset " + std::to_string(reset.from) + " to " +
               std::to_string(reset.to - 1) +
               " were deleted before they were fetched; is the topic's retention shorter than the "
               "app was away?";
  } else {
    const bool truncated = reset.reason == kafka::ResetReason::kTruncated;
    reason = truncated ? "Truncated" : "TopicDeleted";
    message += truncated ? "the log was cut below offset " : "the topic was deleted when offset ";
    message += std::to_string(reset.from) + (truncated ? "; " : " was next; ");
    if (reset.lost > 0)
      message += "at least " + std::to_string(reset.lost) + " records had not been fetched; ";
    message += "the topic is read from its beginning";
  }
  parts_.conditions.Set("RecordsLost/" + config_.name, telemetry::Status::kTrue, std::move(reason),
                        std::move(message));
}

// Its events have no offsets any more that a commit could name, but here they are.
void Subscription::Retire(Partition& partition) {
  partition.retired = true;
  by_place_.erase(partition.at);
  partition.committing.reset();
  partition.commit_refused.clear();
  parts_.metrics.Remove(partition.series);  // the series are its successor's
  partition.series = {};
  CommitLater();
}

// Nobody else will deliver their events: they stay, whatever is assigned to whom, until the last
// one has settled. The tries of an event are counted in memory alone.
void Subscription::ServeRetired() {
  std::vector<uint64_t> numbers;
  for (const auto& [number, partition] : partitions_)
    if (partition->retired) numbers.push_back(number);
  for (const uint64_t number : numbers) {
    Partition& partition = *partitions_[number];
    if (partition.deliveries.empty()) {
      Forget(number);
    } else if (partition.offsets.dirty() || !partition.awaiting_commit.empty()) {
      partition.offsets.Committed(partition.offsets.version());
      LetRetriesGo(partition, partition.offsets.version());
    }
  }
  if (!numbers.empty()) Pump();
}

}  // namespace outrigger::deliver
