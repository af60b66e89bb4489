// The partitions that this member has: how far each is read, and what is under way with it.
//
// Pure. Thread: the loop's.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "kafka/consumer_handle.h"
#include "kafka/topic_identity.h"

namespace outrigger::kafka {

struct HeldPartition {
  enum class Phase {
    kReading,
    kResetting,  // its next offset can't be read; where it goes on is being asked for
    kRevoking,   // the flow is settling it; no record comes any more
  };
  uint64_t epoch = 0;
  int64_t next = -1;  // the offset after the last record that was passed on; -1: not known
  Phase phase = Phase::kReading;
  bool paused = false;
  bool at_end = false;      // there was nothing at `next`, and nothing has come since
  int64_t paused_end = -1;  // behind its newest record, asked for while it is paused
  TopicIdentity identity;
  int64_t sure_end = -1;  // the topic of `identity` is known to have reached so far

  bool revoking() const { return phase == Phase::kRevoking; }
  void OnRead(int64_t offset);
  // There is nothing at `offset` yet, which may be past markers of transactions.
  void OnEnd(int64_t offset);
  // The end of the partition, where the last fetch saw `high` as such.
  int64_t EndOf(int64_t high) const;
};

class HeldPartitions {
 public:
  using Map = std::unordered_map<TopicPartition, HeldPartition, HashOf>;

  // Under an epoch that no other has; replaces what was known of the partition.
  HeldPartition& Add(const TopicPartition& at, int64_t next, TopicIdentity identity);
  // Null: not assigned.
  HeldPartition* Find(const TopicPartition& at);
  const HeldPartition* Find(const TopicPartition& at) const;
  // Null also when another epoch of it is assigned.
  const HeldPartition* Find(const TopicPartition& at, uint64_t epoch) const;
  // Returns whether it was assigned.
  bool Erase(const TopicPartition& at) { return held_.erase(at) > 0; }
  void Clear() { held_.clear(); }

  bool empty() const { return held_.empty(); }
  Map::const_iterator begin() const { return held_.begin(); }
  Map::const_iterator end() const { return held_.end(); }
  std::vector<TopicPartition> revoking() const;
  std::vector<TopicPartition> not_revoking() const;
  // Those of `at` that are held and not being revoked.
  std::vector<TopicPartition> NotRevoking(std::vector<TopicPartition> at) const;
  std::vector<std::string> topics() const;

 private:
  std::vector<TopicPartition> Where(bool revoking) const;

  Map held_;
  uint64_t last_epoch_ = 0;
};

}  // namespace outrigger::kafka
