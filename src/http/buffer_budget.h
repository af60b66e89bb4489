// What the bodies and the answers of all connections of a server hold in memory.
//
// The first kUncounted bytes of each body and of each answer are free, so that a small request is
// always served; the number of connections bounds those.
//
// Pure. Bytes. Thread: the server's. Lifetime: the limits outlive the budget, and the budget the
// shares; a share that holds something is released before it is destroyed.
#pragma once

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "http/limits.h"

namespace outrigger::http {

class BufferBudget {
 public:
  enum class Use { kBodies, kAnswers };
  static constexpr uint64_t kUncounted = 16 << 10;

  explicit BufferBudget(const Limits& limits) : limits_(limits) {}
  BufferBudget(const BufferBudget&) = delete;
  BufferBudget& operator=(const BufferBudget&) = delete;

  uint64_t held(Use use) const { return held_[static_cast<size_t>(use)]; }
  // The peak of both uses together since the last call.
  uint64_t TakePeak() { return std::exchange(peak_, together()); }

 private:
  friend class BufferShare;

  uint64_t most(Use use) const {
    return use == Use::kBodies ? limits_.max_bodies : limits_.max_answers;
  }
  uint64_t together() const { return held(Use::kBodies) + held(Use::kAnswers); }
  void Change(Use use, uint64_t from, uint64_t to) {
    uint64_t& held = held_[static_cast<size_t>(use)];
    assert(held >= from);
    held = held - from + to;
    peak_ = std::max(peak_, together());
  }

  const Limits& limits_;
  std::array<uint64_t, 2> held_{};
  uint64_t peak_ = 0;
};

// What one connection holds of it, for one use.
class BufferShare {
 public:
  BufferShare(BufferBudget& budget, BufferBudget::Use use) : budget_(budget), use_(use) {}
  BufferShare(const BufferShare&) = delete;
  BufferShare& operator=(const BufferShare&) = delete;

  // Whether so many bytes have room besides what the others hold.
  bool HasRoom(uint64_t bytes) const {
    return budget_.held(use_) - counted_ + Counted(bytes) <= budget_.most(use_);
  }
  // From now on it holds `bytes`. False: they have no room, and it holds what it held before. Less
  // than before always has room, also when the limit was lowered.
  bool Hold(uint64_t bytes) {
    if (Counted(bytes) > counted_ && !HasRoom(bytes)) return false;
    budget_.Change(use_, counted_, Counted(bytes));
    counted_ = Counted(bytes);
    return true;
  }
  void Release() { Hold(0); }

 private:
  static uint64_t Counted(uint64_t bytes) {
    return bytes - std::min(bytes, BufferBudget::kUncounted);
  }

  BufferBudget& budget_;
  const BufferBudget::Use use_;
  uint64_t counted_ = 0;
};

}  // namespace outrigger::http
