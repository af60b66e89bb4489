// When a degraded app is tried again, and with which event.
//
// Keys that have not failed go at most once in `first`, however long the app has been degraded: one
// healthy event shows that the app is well, and must not wait behind many that are not. Keys that
// have failed wait longer and longer, up to `most`. What the app asks for by Retry-After holds for
// both, for keys that have not failed up to `most`: the next answer may be another.
//
// Thread: the deliver flow's. Bounded: beyond kMostKeys every key counts as one that failed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <unordered_set>

#include "base/clock.h"

namespace outrigger::deliver {

class ProbeSchedule {
 public:
  ProbeSchedule(base::Duration first, base::Duration most) : first_(first), most_(most) {}

  // The app is degraded from now on; Failed names the keys that showed it.
  void Start(base::TimePoint now) {
    failed_.clear();
    wait_ = first_;
    fresh_at_ = failed_at_ = now + first_;
  }
  void Failed(uint64_t key) {
    if (failed_.size() < kMostKeys) failed_.insert(key);
  }

  // The probe failed.
  void OnProbe(uint64_t key, base::TimePoint now) {
    fresh_at_ = std::max(fresh_at_, now + first_);
    const bool again = HasFailed(key);
    if (again) wait_ = std::min(wait_ * 2, most_);
    failed_at_ = std::max(failed_at_, now + (again ? wait_ : first_));
    Failed(key);
  }
  void Ask(base::Duration wait, base::TimePoint now) {
    fresh_at_ = std::max(fresh_at_, now + std::min(wait, most_));
    failed_at_ = std::max(failed_at_, now + wait);
  }

  bool HasFailed(uint64_t key) const {
    return failed_.contains(key) || failed_.size() >= kMostKeys;
  }
  bool IsDue(uint64_t key, base::TimePoint now) const {
    return now >= (HasFailed(key) ? failed_at_ : fresh_at_);
  }
  // When more may be due than is now; nullopt: everything is.
  std::optional<base::TimePoint> Next(base::TimePoint now) const {
    if (now < fresh_at_) return fresh_at_;
    return now < failed_at_ ? std::optional(failed_at_) : std::nullopt;
  }

 private:
  static constexpr size_t kMostKeys = 4096;

  base::Duration first_, most_;
  base::Duration wait_{};  // of keys that failed
  base::TimePoint fresh_at_{}, failed_at_{};
  std::unordered_set<uint64_t> failed_;
};

}  // namespace outrigger::deliver
