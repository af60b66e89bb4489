// How much metadata the cluster takes with an offset, as far as its refusals tell.
//
// A broker may take less than the usual 4096 bytes (offset.metadata.max.bytes), and all commits of
// a request share the limit of one batch. What is refused is halved until it is taken, so that
// offsets move and as much as possible of what travels with them; now and then all of it is tried
// again, since the broker's limit may have been raised. Pure.
#pragma once

#include <algorithm>

#include "base/clock.h"
#include "deliver/commit_metadata.h"

namespace outrigger::deliver {

class MetadataLimit {
 public:
  size_t bytes(base::TimePoint now) const { return now < until_ ? bytes_ : kMetadataMax; }
  bool reduced(base::TimePoint now) const { return bytes(now) < kMetadataMax; }

  // A commit with `size` bytes was refused for its size. False: there was nothing to leave out.
  bool Refused(size_t size, base::TimePoint now) {
    if (size == 0) return false;
    bytes_ = std::min(bytes(now), size <= kLeast ? 0 : size / 2);
    until_ = now + kTryAgain;
    return true;
  }

 private:
  static constexpr size_t kLeast = 16;  // less can't hold anything
  static constexpr auto kTryAgain = std::chrono::minutes(10);

  size_t bytes_ = kMetadataMax;
  base::TimePoint until_{};
};

}  // namespace outrigger::deliver
