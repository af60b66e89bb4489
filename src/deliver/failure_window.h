// The failures since the last success, and whether they say that the app is degraded.
//
// They do when `failures` of them, over `keys` keys, came within `window`; or when two events ran
// into their time-out while the app answered nobody, the second having begun within `window` of the
// first one's end: an app that is silent needs no five keys. One event alone may be what hangs.
//
// FailureWindow of keys that are to blame themselves (Accusations) count for nothing here; what
// they used of attempts is remembered all the same.
//
// Thread: the deliver flow's. Bounded: kMost failures are remembered, the oldest go. Cost: O(1),
// but for what walks them all.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "base/clock.h"

namespace outrigger::deliver {

class FailureWindow {
 public:
  using Id = uint64_t;
  struct Policy {
    uint32_t failures;
    uint32_t keys;
    base::Duration window;
  };
  struct Failure {
    Id id = 0;
    uint64_t key = 0;
    base::TimePoint at{};
    bool counts = true;     // says something of the app
    bool rejected = false;  // … by a 4xx, which uses no attempt
  };

  explicit FailureWindow(Policy policy) : policy_(policy) {}

  void Add(const Failure& failure);
  // From `begun` until its time-out at `now` the app answered no event at all.
  void AddSilence(Id id, base::TimePoint begun, base::TimePoint now);
  void Clear();

  bool Degraded() const;
  // How many keys failed within the window, with those of `others`.
  size_t Keys(std::unordered_set<uint64_t> others, base::TimePoint now);
  // Whether another event failed within the window, and that counts; `rejected`: by a 4xx.
  bool OfOthers(Id id, bool rejected, base::TimePoint now);
  const std::deque<Failure>& all() const { return all_; }
  // Attempts that were used, by event.
  std::map<Id, uint32_t> Attempts() const;

 private:
  static constexpr size_t kMost = 4096;

  void Expire(base::TimePoint now);

  Policy policy_;
  std::deque<Failure> all_;                           // within the window, oldest first
  std::unordered_map<uint64_t, uint32_t> keys_;       // of those that count
  uint32_t counted_ = 0;                              // all of keys_
  std::unordered_map<Id, base::TimePoint> silences_;  // the last one's end, by event
};

}  // namespace outrigger::deliver
