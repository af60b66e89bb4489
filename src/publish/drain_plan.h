// Which records of the spool the producer gets next.
//
// Records are read in the order of their ids, which is the order of each key. They belong to lanes,
// a partition of a topic each, and a lane has a bounded number of records with the producer. A lane
// that is busy is waited for. One that is stuck (nothing was acknowledged for a while, or Kafka
// refused it) is held: reading goes on behind its first record, and what was passed over is read
// again when the lane has room. So a partition without a leader or a topic that is not there delays
// its own records, and memory has the ids of what is with the producer and nothing of what waits.
//
// A topic's partitions can be unknown for a while. Records read then are of the lane kUnknown, and
// as long as that lane or one of a partition is held, no record of the topic overtakes it by being
// of the other.
//
// Pure. Thread: the loop's. Source: issue "the spool", library facts, "One owner for each row".
#pragma once

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "base/clock.h"
#include "publish/left_rows.h"

namespace outrigger::publish {

struct Lane {
  static constexpr int32_t kUnknown = -1;  // the partitions of the topic are not known
  static constexpr int32_t kAny = -2;      // of records without a key

  std::string topic;
  int32_t partition = kUnknown;

  auto operator<=>(const Lane&) const = default;
};

class DrainPlan {
 public:
  struct Limits {
    size_t lane_records = 4096;
    size_t lane_bytes = 2 << 20;
    size_t bytes = 8 << 20;  // of all lanes that are not stuck
    base::Duration stuck_after = std::chrono::seconds(1);
    base::Duration first_pause = std::chrono::seconds(1);  // after a refusal; doubled
    base::Duration longest_pause = std::chrono::seconds(30);
  };
  explicit DrainPlan(const Limits& limits) : limits_(limits) {}

  // The disk has records up to this id.
  void OnPut(int64_t id) { last_ = std::max(last_, id); }

  // Records that the producer was given before they came to the disk.
  void OnLate(const Lane& lane);
  void OnLatePut(int64_t id, const Lane& lane);
  // Instead of OnLatePut: it came to the disk when it was in Kafka already; it never came there.
  void OnLateLeft(int64_t id, const Lane& lane);
  void OnLateGone(const Lane& lane);

  // What is to be read: records behind `after`. Nothing: there is no record, or no lane with room.
  struct Reading {
    int64_t after = 0;
    int64_t last = 0;          // the disk had ids up to this one
    std::optional<Lane> held;  // only this lane's are looked for
  };
  std::optional<Reading> Next(base::TimePoint now);
  // For each record that was read, in order. kGive: the caller gives it to the producer and says
  // OnGiven; or the producer has no room, and nothing more is looked at.
  enum class Step { kGive, kSkip, kStop };
  Step Look(const Reading& reading, int64_t id, const Lane& lane, base::TimePoint now);
  void OnGiven(const Reading& reading, int64_t id, const Lane& lane, size_t bytes,
               base::TimePoint now);
  // `all`: there was no record behind those that were read, and each of them was looked at.
  void EndReading(const Reading& reading, bool all);

  // Of what the producer has: the record has left the spool, or it stays and is to be read again.
  void OnLeft(int64_t id, base::TimePoint now);
  // What has left and may still be read.
  LeftRows& left() { return left_; }
  void OnRefused(int64_t id, base::TimePoint now);

  // Somebody drops a record that waits: until the disk has answered, neither it nor what is behind
  // it is given. False: the producer has or had it, or it is being dropped already, or it is not
  // known yet.
  bool BeginDrop(int64_t id);
  void EndDrop(int64_t id, bool dropped);

  // Whether a record that comes now would wait for others of its lane.
  bool Waits(const Lane& lane, base::TimePoint now) const;
  bool idle() const { return lanes_.empty(); }
  bool Has(int64_t id) const { return given_.contains(id); }
  // Whether there are records that the producer has not been given.
  bool Waiting() const;

 private:
  struct State {
    size_t records = 0;  // with the producer, of them:
    size_t late = 0;     // those that it had before the disk
    size_t bytes = 0;
    size_t window = 64;                // records; grows with what is acknowledged
    std::optional<int64_t> held_from;  // the first record that was passed over
    base::TimePoint progress;          // the last acknowledgement, or the first record since
    base::TimePoint retry_at;
    base::Duration pause{};  // 0: nothing was refused lately
  };
  struct Given {
    Lane lane;
    size_t bytes = 0;
    bool late = false;
  };
  using Lanes = std::map<Lane, State>;

  bool Stuck(const State& state, base::TimePoint now) const;
  bool HasRoom(const State& state, base::TimePoint now) const;
  bool WorthReading(const State& state, base::TimePoint now) const;
  size_t BytesUnderWay(base::TimePoint now) const;
  Lane Ahead(const Lane& lane, int64_t id) const;
  bool Holds(const Lane& lane, int64_t id) const;
  bool Behind(const Lane& lane, int64_t id) const;
  bool PartitionHolds(const std::string& topic, int64_t id, const Lane* than) const;
  Step LookAhead(const Reading& reading, int64_t id, const Lane& of, base::TimePoint now);
  Step LookAgain(const Reading& reading, int64_t id, const Lane& lane, base::TimePoint now);
  static void Hold(State& state, int64_t id);
  void Passed(const Reading& reading, int64_t id);
  Given Take(int64_t id);
  void EraseIfIdle(const Lane& lane);

  const Limits limits_;
  Lanes lanes_;
  std::unordered_map<int64_t, Given> given_;
  LeftRows left_;
  std::unordered_set<int64_t> dropping_;
  bool reading_ = false;
  bool held_first_ = true;  // held lanes and what was never read take turns
  int64_t read_ = 0;        // up to this id each record was given, or its lane is held
  int64_t last_ = 0;
  std::optional<Lane> waits_for_;  // reading behind `read_` goes on when it has room or is stuck
};

}  // namespace outrigger::publish
