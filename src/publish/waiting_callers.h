// The callers who wait for the outcome of an event, each for `http.ackTimeout` at most.
//
// Several callers may wait for one event: those who retry join it. Their answers are given a few
// at a time, so that other work of the loop has its turn. Thread: the loop's. Lifetime: outlives
// the loop's pending calls; destroyed, it drops its callers without an answer.
#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <vector>

#include "base/loop.h"
#include "publish/outcome.h"

namespace outrigger::publish {

struct Pending;
struct Waiter;

// The callers of one event, in the order in which they came.
struct CallerQueue {
  Waiter* first = nullptr;
  Waiter* last = nullptr;
};

struct Waiter {
  OnDecided on_decided;
  base::TimePoint since;  // by AwakeTime
  Pending* event;
  bool joined;  // it is not the first one of its event
  std::list<Waiter>::iterator self;
  Waiter* next = nullptr;  // in the queue of its event
};

class WaitingCallers {
 public:
  // A caller whose time is over, and the event that is still undecided.
  struct Late {
    OnDecided on_decided;
    const Pending* event;
  };
  // Has to answer them. They no longer wait; callers who joined the event later still do.
  using OnLate = std::function<void(std::vector<Late>)>;

  WaitingCallers(base::Loop& loop, std::chrono::milliseconds timeout, OnLate on_late)
      : loop_(loop), timeout_(timeout), on_late_(std::move(on_late)) {}
  WaitingCallers(const WaitingCallers&) = delete;
  WaitingCallers& operator=(const WaitingCallers&) = delete;

  // Holds for those who wait already, too.
  void SetTimeout(std::chrono::milliseconds timeout);

  // `joins`: the event was sent for another caller.
  void Add(Pending& event, OnDecided on_decided, bool joins);
  // Answers all callers of the event, which may be gone afterwards.
  void Answer(Pending& event, const Outcome& outcome);

  size_t joined() const { return joined_; }

 private:
  std::list<Waiter> Take(Pending& event);
  // A few now, the others in later turns of the loop.
  void AnswerAll(std::list<Waiter> waiters, const Outcome& outcome);
  void ArmDeadline();
  void OnDeadline();

  base::Loop& loop_;
  std::chrono::milliseconds timeout_;
  OnLate on_late_;
  std::list<Waiter> waiters_;  // by deadline, since all wait equally long
  size_t joined_ = 0;          // of them, those who joined
  base::Timer deadline_timer_;
};

}  // namespace outrigger::publish
