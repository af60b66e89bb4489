// Which keys are to blame for their failures themselves, so that they say nothing of the app.
//
// A key that fails is accused. It is to blame once a call that began after its failure succeeded
// for another key, until it succeeds itself or has not failed for `window`: events that nobody can
// process then become dead-letter records, also when they are all that is left of a topic. A
// success that had begun before the failure tells nothing of an app that fails since.
//
// A success that ends a degraded state is weaker evidence: the key may have failed because the app
// did. Only a key that was accused in `kEpisodes` degraded states, each ended by another key, and
// did not succeed in between is to blame. So neither an app that fails for a while nor one
// that fails twice within seconds costs a healthy event its attempts, and poison events on a quiet
// topic have a bound: two successes of others.
//
// Thread: the deliver flow's. Keys are hashes; both sets are bounded. Cost: O(1), but for a success
// O(accused).
#pragma once

#include <cstdint>
#include <unordered_map>

#include "base/clock.h"

namespace outrigger::deliver {

class Accusations {
 public:
  explicit Accusations(base::Duration window) : window_(window) {}

  // Accuses the key. False: it is to blame already, for another `window`.
  bool OnFailure(uint64_t key, base::TimePoint now);
  // A call of this key that was sent at `begun` succeeded. `recovered`: it ends a degraded state.
  void OnSuccess(uint64_t key, base::TimePoint begun, base::TimePoint now, bool recovered);
  // The app was away: what failed before is not judged by what succeeds now.
  void OnInterruption() { ++episode_; }

  void Blame(uint64_t key, base::TimePoint now);
  bool ToBlame(uint64_t key, base::TimePoint now) const;

 private:
  struct Accused {
    base::TimePoint at;     // of the last failure
    uint64_t episode = 0;   // … and when that was
    uint32_t episodes = 0;  // degraded states that others ended
  };

  base::Duration window_;
  uint64_t episode_ = 0;
  std::unordered_map<uint64_t, Accused> accused_;
  std::unordered_map<uint64_t, base::TimePoint> blamed_;  // until when
};

}  // namespace outrigger::deliver
