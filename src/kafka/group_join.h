// Whether the group has shared its partitions out since this member joined: to it as well, or to
// others only.
//
// Pure. Thread: the loop's.
#pragma once

#include <optional>

#include "base/clock.h"

namespace outrigger::kafka {

class GroupJoin {
 public:
  void OnShared(base::TimePoint now) { since_ = now; }
  void OnLost() { since_.reset(); }

  // A topic is there that was missing, last at `missing_at`. A member that has nothing has to be
  // asked again by its group, unless that has happened since: after a topic was deleted and created
  // again librdkafka may never join again by itself.
  void OnTopicCame(base::TimePoint missing_at, bool has_partitions) {
    if (since_ && *since_ <= missing_at && !has_partitions) since_.reset();
  }

  bool joined() const { return since_.has_value(); }

 private:
  std::optional<base::TimePoint> since_;
};

}  // namespace outrigger::kafka
