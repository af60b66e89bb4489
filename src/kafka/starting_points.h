// Where a partition is read from: its group's committed offset, else where the subscription starts.
//
// Thread: a side thread; each call blocks, a second for each question to the cluster at most.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "kafka/consumer_handle.h"

namespace outrigger::kafka {

struct StartingPoint {
  TopicPartition at;
  // May be RD_KAFKA_OFFSET_BEGINNING or _END where the partition is not to be found (yet).
  int64_t offset = -1;
  int32_t leader_epoch = -1;  // of the commit
  std::string metadata;       // of the commit
  bool committed = false;     // else: chosen by where the subscription starts
};

// One point for each of `at`, or an error when the question as a whole failed; ask again then.
base::Result<std::vector<StartingPoint>> FindStartingPoints(rd_kafka_t* rk,
                                                            const std::vector<TopicPartition>& at,
                                                            const config::StartFrom& start);

// Where to go on when `from` is out of range: to the oldest record when `from` was deleted, else
// (the log is shorter than it was) as a new group would begin.
struct Range {
  int64_t low = -1;
  int64_t high = -1;
  int64_t to = -1;
};
base::Result<Range> FindReset(rd_kafka_t* rk, const TopicPartition& at, int64_t from,
                              const config::StartFrom& start);

}  // namespace outrigger::kafka
