// Rejections (4xx of the deterministic kind) that nobody can tell yet from those of an app that
// rejects everything: each waits for a success of another key, and not beyond its time.
//
// Pure. Thread: the deliver flow's. Cost: O(log n), but for what walks them all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <unordered_set>
#include <vector>

#include "base/clock.h"

namespace outrigger::deliver {

class HeldRejections {
 public:
  using Id = uint64_t;
  struct Held {
    Id id;
    uint64_t key;
  };

  void Hold(Id id, uint64_t key, base::TimePoint now, base::Duration wait) {
    held_[id] = {key, now, now + wait};
  }
  void Forget(Id id) { held_.erase(id); }

  // Each waits for `wait` since it was rejected.
  void Extend(base::Duration wait);
  // Those that a success of `key`, whose call began at `begun`, shows to be the events' own fault:
  // the same key has no say in it, nor has what the app had begun before the rejection.
  std::vector<Held> TakeJudged(uint64_t key, base::TimePoint begun);
  // Those whose time is over. They stay until TakeAll, or Forget.
  std::vector<Id> Due(base::TimePoint now) const;
  std::vector<Held> TakeAll();

  std::unordered_set<uint64_t> Keys() const;
  // When the next one's time is over.
  std::optional<base::TimePoint> Next() const;
  size_t size() const { return held_.size(); }

 private:
  struct Rejected {
    uint64_t key;
    base::TimePoint at;
    base::TimePoint due;
  };

  std::map<Id, Rejected> held_;
};

}  // namespace outrigger::deliver
