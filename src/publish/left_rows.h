// The rows that have left the spool and that a page of it may still show: those that the disk has
// not been asked to remove, and those that it was asked to remove after it was asked for the page.
//
// The disk does what it is asked in order. Pure. Thread: the loop's.
#pragma once

#include <cstdint>
#include <deque>
#include <unordered_set>
#include <utility>
#include <vector>

namespace outrigger::publish {

class LeftRows {
 public:
  void Add(int64_t id) {
    rows_.insert(id);
    not_removed_.push_back(id);
  }
  bool Contains(int64_t id) const { return rows_.contains(id); }

  // The disk has been asked to remove all of them; for a page; the page was looked at.
  void OnRemove() {
    removed_.push_back({asked_, std::exchange(not_removed_, {})});
    Forget();
  }
  void OnAsked() { ++asked_; }
  void OnLookedAt() {
    ++looked_at_;
    Forget();
  }

 private:
  struct Removed {
    uint64_t asked;  // so many pages were asked for before
    std::vector<int64_t> ids;
  };

  void Forget() {
    for (; !removed_.empty() && removed_.front().asked <= looked_at_; removed_.pop_front())
      for (const int64_t id : removed_.front().ids) rows_.erase(id);
  }

  std::unordered_set<int64_t> rows_;
  std::vector<int64_t> not_removed_;
  std::deque<Removed> removed_;
  uint64_t asked_ = 0;
  uint64_t looked_at_ = 0;
};

}  // namespace outrigger::publish
