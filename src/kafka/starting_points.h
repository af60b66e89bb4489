// Where a partition is read from: its group's committed offset, else where the subscription starts.
//
// `startFrom` is where a new group begins: one that has no commit for any topic of the
// subscription. It applies to the partitions of topics that were there when this process first saw
// the cluster. All others are read from their beginning: those of an older group without a commit
// (they were added later, or their commit expired), topics that came while we were subscribed, and
// topics that were deleted and created again.
//
// Where a new group begins is committed for all partitions of the subscription in one request,
// before the first record is fetched, so that no member takes a partition for one that was added
// later because another member has committed already. The member that has the first partition does
// so; the others wait for it (kMustWait), and after a while begin with their own.
//
// Thread: a side thread; each call blocks, a second for each question to the cluster at most.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "kafka/consumer_handle.h"
#include "kafka/topic_identity.h"

namespace outrigger::kafka {

struct StartingPoint {
  TopicPartition at;
  // May be RD_KAFKA_OFFSET_BEGINNING where the partition is not to be found (yet).
  int64_t offset = -1;
  int32_t leader_epoch = -1;  // of the commit
  std::string metadata;       // of the commit
  bool committed = false;     // else: chosen here
  TopicIdentity identity;     // of the topic as it is now
  int64_t passed_over = -1;   // the commit that is not taken, since it is of an older topic
};

struct StartingPoints {
  std::vector<StartingPoint> points;  // one for each partition that was asked for
  // Where a new group begins: to be committed before anything is fetched.
  std::vector<StartingPoint> first_commit;
};

class GroupStart {
 public:
  GroupStart(std::vector<std::string> topics, config::StartFrom start)
      : topics_(std::move(topics)), start_(start) {}

  // Notes once which partitions are there; what is not came later. Nothing where every group begins
  // at the earliest record.
  void Look(rd_kafka_t* rk);

  // `waited`: no other member committed where the group begins; don't wait any longer. An error
  // when the question as a whole failed; ask again then.
  base::Result<StartingPoints> Find(rd_kafka_t* rk, const std::vector<TopicPartition>& at,
                                    bool waited);

 private:
  base::Result<std::vector<TopicPartition>> FindBeginning(rd_kafka_t* rk);
  base::Result<void> Begin(rd_kafka_t* rk, StartingPoints& found, bool waited);
  base::Result<int64_t> FindStart(rd_kafka_t* rk, const TopicPartition& at) const;

  const std::vector<std::string> topics_;
  const config::StartFrom start_;
  std::optional<std::set<TopicPartition>> seen_first_;
  std::map<std::string, TopicIdentity> seen_topics_;
  bool old_ = false;  // the group has had a commit (one goes with its topic)
};

// The hint of an error that says: another member is about to commit where the group begins.
inline constexpr char kMustWait[] = "another member of the group commits where it begins";

// Where to go on when `from` can't be read: to the oldest record. `from` was deleted when it is
// below `low`; else the log is shorter than it was, or the topic another than `was`.
struct Range {
  int64_t low = -1;
  int64_t high = -1;
  TopicIdentity identity;
};
base::Result<Range> FindRange(rd_kafka_t* rk, const TopicPartition& at);

}  // namespace outrigger::kafka
