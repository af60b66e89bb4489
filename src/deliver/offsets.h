// Which records of one assigned partition are settled, and so what may be committed.
//
// Promises: committable() never passes a record that is handed out and not settled; what was
// settled above it is not handed out twice, over a restart either, when progress() travels with the
// commit (commit_metadata.h). It always fits there while no record is tried that MayBegin refuses.
// Offsets that Kafka skipped (compaction, aborted records, markers of transactions) count as
// settled: they do not exist. A record leaves only by Settle or Skip: time, counts and cancelled
// calls never settle.
//
// Thread: the deliver flow's. Lifetime: one assignment of the partition; a revoked partition's
// object is thrown away, and so are late results. Cost: O(log n) of what is unsettled, MayBegin
// too; progress() copies what it gives.
// Source: contract section 4, "Offsets are committed up to the oldest unsettled event … When that
// metadata nears the broker's limit, fetching of the partition pauses; state is never dropped".
#pragma once

#include <cstdint>
#include <map>

#include "deliver/commit_metadata.h"

namespace outrigger::deliver {

class PartitionOffsets {
 public:
  // A partition without a committed offset: the first record says where it begins.
  PartitionOffsets() = default;
  // One that goes on where `progress` says. `first`: where the partition is fetched from, which can
  // be below that where other subscriptions of the group are behind; what lies between is settled.
  explicit PartitionOffsets(Progress progress) : PartitionOffsets(progress, progress.committed) {}
  PartitionOffsets(const Progress& progress, int64_t first);

  enum class Added {
    kNew,      // to be delivered, then settled
    kSettled,  // settled before the restart (or within this assignment): skip it
    kKnown,    // handed out already and not settled: fetched again, its key queue has it
    kBefore,   // below everything that was ever handed out or committed here: the topic was deleted
               // and created again. Nothing was noted: take a fresh PartitionOffsets.
  };
  // A record that was fetched; in the order of offsets, but for fetching again.
  Added Add(int64_t offset);

  // Every record below `next` was added, or does not exist: the end of the partition was seen, or
  // what lies in between was deleted.
  void PassTo(int64_t next);

  // The record needs nothing more: delivered, dropped, or its dead-letter record is in Kafka. An
  // offset that is not unsettled changes nothing.
  void Settle(int64_t offset);
  // The record is not for us (filtered): as if Kafka had skipped it. It takes no room in the
  // metadata; after a restart it is filtered again.
  void Skip(int64_t offset);

  // Whether the record may be tried now: that whatever becomes of it, and of all that Begin was
  // told of, the metadata is no longer than `limit`. The oldest unsettled record and those that
  // were tried before always may, or nothing would ever make room again.
  bool MayBegin(int64_t offset, size_t limit = kMetadataMax - kMetadataMargin) const {
    return MayAlwaysBegin(offset) || BoundWith(offset) <= limit;
  }
  bool MayAlwaysBegin(int64_t offset) const;
  // How long the metadata can become with all that Begin was told of; and with `offset` as well.
  size_t Bound() const { return Bound(reach_, untried_); }
  size_t BoundWith(int64_t offset) const;
  void Begin(int64_t offset);
  // For the count of the oldest unsettled record, which begins without being asked for.
  static constexpr size_t kMetadataMargin = 16;

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
  // Behind the last record that was handed out or passed; -1: nothing is known.
  int64_t next() const { return next_; }

 private:
  using Runs = std::map<int64_t, int64_t>;

  size_t Bound(int64_t reach, size_t untried) const;
  bool IsInRun(int64_t offset) const;
  // Nothing of what lies between next_ and `offset` exists, and next_ is `next` now.
  void MoveTo(int64_t offset, int64_t next);
  // Takes it out of what is unsettled; false: it is not there.
  bool Remove(int64_t offset);
  void AddRun(int64_t begin, int64_t end);
  // What the run takes in the metadata, at most.
  size_t SizeOf(Runs::const_iterator run) const;
  // Joins what is settled from next_ on, and forgets what lies below committable().
  void Trim();

  // Every offset in [first_, next_) is settled or in unsettled_. next_ -1: nothing known.
  int64_t first_ = -1;
  int64_t next_ = -1;
  std::map<int64_t, bool> unsettled_;  // whether it was begun
  // Above committable(), begin → end: nothing in between is unsettled, and something was settled.
  // Runs from next_ on were restored.
  Runs runs_;
  size_t runs_size_ = 0;                  // of all of them in the metadata
  std::map<int64_t, uint32_t> attempts_;  // of unsettled_, and restored ones from next_ on
  size_t untried_ = 0;                    // begun, and no attempt is over
  int64_t reach_ = -1;                    // the highest offset that the metadata may have to name
  uint64_t version_ = 0;
  uint64_t committed_version_ = 0;
};

}  // namespace outrigger::deliver
