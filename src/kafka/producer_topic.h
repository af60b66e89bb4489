// What a producer knows of one topic, and the records that wait for it.
//
// kLooking: its partitions are not known; records wait together until they are. kPlaced: the
// partitions are known and each has a queue; only a record that names a partition that is not there
// (yet) waits outside them. kDraining: the partitions are not what they were; the batches that
// librdkafka still has are decided first, then everything waits together again, in order of
// Produce.
//
// Pure but for the timer of the next lookup. Thread: the loop's. Lifetime: a topic ends the records
// that it still has, without a report.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/loop.h"
#include "kafka/partition_queue.h"
#include "kafka/topic_limits.h"

namespace outrigger::kafka {

// Records that were accepted and are not reported yet.
struct Held {
  size_t records = 0;
  size_t memory = 0;

  void Add(const Entry& entry);
  void Remove(const Entry& entry);
};

class Topic {
 public:
  enum class Phase { kLooking, kPlaced, kDraining };

  Topic(std::string name, base::TimePoint now);
  Topic(const Topic&) = delete;
  Topic& operator=(const Topic&) = delete;
  ~Topic();

  const std::string& name() const { return name_; }
  Phase phase() const { return phase_; }
  bool placed() const { return phase_ == Phase::kPlaced; }
  const std::vector<std::unique_ptr<PartitionQueue>>& queues() const { return queues_; }
  TopicLimits& limits() { return limits_; }
  const Held& held() const { return held_; }

  // Records: from their acceptance to their report.
  void Accept(Entry& entry);
  void Release(const Entry& entry) { held_.Remove(entry); }

  // Of the placed topic: the queue that the record belongs to; null when it names a partition that
  // is not there.
  PartitionQueue* QueueFor(const event::Record& record) const;
  // Records without a key go on to another partition with the next batch.
  void OnBatch(const PartitionQueue& queue);

  // The records that wait outside the queues.
  void Wait(Entry* entry) { waiting_.push_back(entry); }
  bool has_waiting() const { return !waiting_.empty(); }
  std::deque<Entry*> TakeWaiting();
  // All that is not in librdkafka's hands; it is the caller's now.
  void TakeAllWaiting(std::vector<Entry*>& into);

  bool idle() const;  // no batch is undecided
  bool drained() const { return phase_ == Phase::kDraining && idle(); }
  // Ends the old partitions: what was taken back is older than what has come meanwhile, and a key
  // may now belong to another partition.
  void Gather();

  // Lookups. A topic that is missing is looked up again in a while.
  bool StartLookup();
  void LookUpAgain(base::Timer timer) { again_ = std::move(timer); }
  bool looking_up() const { return asking_ || again_.armed(); }
  void OnLookedUp(base::TimePoint now);
  void OnFound(std::vector<bool> led);
  base::Duration OnMissing(base::TimePoint now);  // for how long it is missing
  base::TimePoint looked_up() const { return looked_up_; }
  bool RefreshDue(base::TimePoint now) const;
  bool led(int32_t partition) const;  // the last lookup knew a leader

  // Kafka has a record at this offset. Whether there was a later one before: the topic was created
  // again, or has lost its data.
  bool OnStored(int32_t partition, int64_t offset);
  // What comes next may be of another cluster.
  void ForgetOffsets() { last_offsets_.clear(); }

  // Why it takes nothing, with what to do; empty while it does.
  const std::string& refusal() const { return refusal_; }
  void ShowRefusal(const Refusal& refusal);
  bool ClearRefusal();  // whether there was one

  // For how long nothing was published to it, to a second or so.
  base::Duration IdleFor(base::TimePoint now);

 private:
  friend class TopicTable;  // counts the topics that are not placed

  bool Place(size_t partitions);  // whether it was not
  bool Unplace();                 // whether it was placed

  std::string name_;
  Phase phase_ = Phase::kLooking;
  std::vector<std::unique_ptr<PartitionQueue>> queues_;
  std::deque<Entry*> waiting_;
  TopicLimits limits_;
  Held held_;
  size_t sticky_ = 0;  // where records without a key go until the batch is sent
  std::string refusal_;
  base::TimePoint idle_since_;
  bool used_ = false;  // since the last lookup
  bool asking_ = false;
  base::Timer again_;
  base::TimePoint looked_up_;
  std::optional<base::TimePoint> missing_since_;  // from a cluster that is reachable
  std::vector<bool> led_;
  std::vector<int64_t> last_offsets_;  // by partition
};

}  // namespace outrigger::kafka
