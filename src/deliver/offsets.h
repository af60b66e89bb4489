// Which records of one assigned partition are settled, and so what may be committed.
//
// Promises: committable() never passes a record that is handed out and not settled; what was
// settled above it is not handed out twice, over a restart either, when progress() travels with the
// commit (commit_metadata.h). Offsets that Kafka skipped (compaction, aborted records, markers of
// transactions) count as settled: they do not exist. A record leaves only by Settle: time, counts
// and cancelled calls never settle.
//
// Thread: the deliver flow's. Lifetime: one assignment of the partition; a revoked partition's
// object is thrown away, and so are late results. Cost: O(log n) of what is unsettled; progress()
// walks what is unsettled up to the highest settled offset.
// Source: contract section 4, "Offsets are committed only up to the oldest unsettled event".
#pragma once

#include <cstdint>
#include <map>

#include "deliver/commit_metadata.h"

namespace outrigger::deliver {

class PartitionOffsets {
 public:
  // A partition without a committed offset: the first record says where it begins.
  PartitionOffsets() = default;
  // One that goes on where `progress` says.
  explicit PartitionOffsets(Progress progress);

  enum class Added {
    kNew,      // to be delivered, then settled
    kSettled,  // settled before the restart (or within this assignment): skip it
    kKnown,    // handed out already and not settled: fetched again, the lane has it
    kBefore,   // below everything that was ever handed out or committed here: the topic began anew
               // (deleted and made again). Nothing was noted: take a fresh PartitionOffsets.
  };
  // A record that was fetched; in the order of offsets, but for fetching again.
  Added Add(int64_t offset);

  // Every record below `next` was added, or does not exist: the end of the partition was seen, or
  // what lies in between was deleted.
  void PassTo(int64_t next);

  // The record needs nothing more: delivered, dropped, filtered, or its dead letter is in Kafka.
  // An offset that is not unsettled changes nothing.
  void Settle(int64_t offset);

  bool AlreadySettled(int64_t offset) const;

  // The next offset to commit: the oldest unsettled, or the one behind the last. -1: nothing was
  // fetched or committed yet.
  int64_t committable() const;
  // committable() with the settled offsets above it and the attempts of the unsettled.
  Progress progress() const;

  // Attempts that are over and counted. Restored ones are known before their record comes.
  uint32_t attempts(int64_t offset) const;
  void SetAttempts(int64_t offset, uint32_t attempts);

  // Whether there is something to commit. A commit takes `version` along and hands it to Committed
  // when Kafka has it; what changed in between stays dirty.
  bool dirty() const { return version_ != committed_version_; }
  uint64_t version() const { return version_; }
  void Committed(uint64_t version) { committed_version_ = version; }

  // What is known of the partition is to be committed, though nothing was settled.
  void CommitStart() { ++version_; }

  size_t unsettled() const { return unsettled_.size(); }

 private:
  // Whether `offset` lies in a range of later_.
  bool InLater(int64_t offset) const;
  void ForgetBelow(int64_t offset);

  // Every offset in [first_, next_) is settled or in unsettled_; at and above next_ those of
  // later_ are settled. next_ -1: nothing known.
  int64_t first_ = -1;
  int64_t next_ = -1;
  int64_t touched_ = -1;                        // the highest below next_ that was settled or tried
  std::map<int64_t, uint32_t> unsettled_;       // with its attempts
  std::map<int64_t, int64_t> later_;            // restored ranges, begin → end
  std::map<int64_t, uint32_t> later_attempts_;  // restored, of records that did not come yet
  uint64_t version_ = 0;
  uint64_t committed_version_ = 0;
};

}  // namespace outrigger::deliver
