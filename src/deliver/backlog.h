// What a group holds in memory until its apps have taken it, and when fetching has to wait for
// that.
//
// A record counts once, however many subscriptions have it, and each delivery with what its
// bookkeeping takes. At the bound nothing is polled; an app that is fast makes room before a pause
// would pay, since a pause costs what was fetched and a second. One that is slow must not hold up
// the group's own events: after a moment the partitions are paused and polling goes on. What waits
// for a dead-letter topic that refuses it takes room from the others, half of the bound at most:
// beyond that the partitions that it is from are paused.
//
// Thread: the loop's. Lifetime: outlives the deliveries that it counts.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>

#include "base/loop.h"
#include "deliver/delivery.h"

namespace outrigger::deliver {

class Backlog {
 public:
  // `on_over`: partitions are to be paused from now on.
  Backlog(base::Loop& loop, size_t max_bytes, std::function<void()> on_over);

  void SetMaxBytes(size_t max_bytes) { max_bytes_ = max_bytes; }
  void Add(Delivery& delivery);
  void Remove(Delivery& delivery);  // it does not wait for the app any more
  // The deliveries of the partition that wait for their dead-letter topic take so many bytes now.
  void SetStuck(SubscribedPartition& partition, size_t bytes);

  // Looks at the bounds; call it when something was added or removed.
  void Update();
  bool polls() const { return !full_ || over_; }
  bool over() const { return over_; }  // and that for a while: partitions are to be paused
  bool too_much_stuck() const { return stuck_bytes_ > max_bytes_ / 2; }

  size_t deliveries() const { return deliveries_; }
  size_t bytes() const { return bytes_; }
  size_t all_bytes() const { return bytes_ + stuck_bytes_; }

 private:
  size_t Room() const { return max_bytes_ - std::min(stuck_bytes_, max_bytes_ / 2); }

  base::Loop& loop_;
  size_t max_bytes_;
  std::function<void()> on_over_;
  size_t deliveries_ = 0;
  size_t bytes_ = 0;
  size_t stuck_bytes_ = 0;
  bool full_ = false;
  bool over_ = false;
  base::Timer patience_;
};

}  // namespace outrigger::deliver
