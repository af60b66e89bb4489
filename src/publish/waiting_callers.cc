#include "publish/waiting_callers.h"

#include <algorithm>
#include <cassert>
#include <memory>
#include <utility>

#include "publish/pending.h"

namespace outrigger::publish {
namespace {

// The callers that are answered before others have their turn.
constexpr size_t kAnswersAtOnce = 512;

}  // namespace

void WaitingCallers::SetTimeout(std::chrono::milliseconds timeout) {
  timeout_ = timeout;
  ArmDeadline();
}

void WaitingCallers::Add(Pending& event, OnDecided on_decided, bool joins) {
  Waiter& waiter = waiters_.emplace_back(
      Waiter{std::move(on_decided), loop_.AwakeNow(), &event, joins, {}, nullptr});
  waiter.self = std::prev(waiters_.end());
  CallerQueue& queue = event.callers;
  (queue.last ? queue.last->next : queue.first) = &waiter;
  queue.last = &waiter;
  if (joins) ++joined_;
  if (!deadline_timer_.armed()) ArmDeadline();
}

void WaitingCallers::Answer(Pending& event, const Outcome& outcome) {
  AnswerAll(Take(event), outcome);
}

std::list<Waiter> WaitingCallers::Take(Pending& event) {
  std::list<Waiter> taken;
  for (const Waiter* waiter = event.callers.first; waiter; waiter = waiter->next) {
    taken.splice(taken.end(), waiters_, waiter->self);
    if (waiter->joined) --joined_;
  }
  event.callers = {};
  return taken;
}

void WaitingCallers::AnswerAll(std::list<Waiter> waiters, const Outcome& outcome) {
  for (size_t answered = 0; !waiters.empty() && answered < kAnswersAtOnce; ++answered) {
    const OnDecided on_decided = std::move(waiters.front().on_decided);
    waiters.pop_front();
    on_decided(outcome);
  }
  if (waiters.empty()) return;
  loop_.Post([this, outcome, rest = std::make_shared<std::list<Waiter>>(std::move(waiters))] {
    AnswerAll(std::move(*rest), outcome);
  });
}

void WaitingCallers::ArmDeadline() {
  deadline_timer_.Cancel();  // it may be that of another timeout, which is longer
  if (waiters_.empty()) return;
  // AwakeTime has to be asked regularly while callers wait.
  const base::Duration wait = waiters_.front().since + timeout_ - loop_.AwakeNow();
  deadline_timer_ = loop_.After(
      std::clamp<base::Duration>(wait, base::Duration::zero(), base::AwakeTime::kAskEvery),
      [this] { OnDeadline(); });
}

void WaitingCallers::OnDeadline() {
  const base::TimePoint now = loop_.AwakeNow();
  std::vector<Late> late;
  while (!waiters_.empty() && waiters_.front().since + timeout_ <= now &&
         late.size() < kAnswersAtOnce) {
    Waiter& waiter = waiters_.front();
    CallerQueue& queue = waiter.event->callers;
    // Of an event and of all events the first one to come is the first one to be late.
    assert(queue.first == &waiter);
    late.push_back({std::move(waiter.on_decided), waiter.event});
    queue.first = waiter.next;
    if (!queue.first) queue.last = nullptr;
    if (waiter.joined) --joined_;
    waiters_.pop_front();
  }
  ArmDeadline();
  if (!late.empty()) on_late_(std::move(late));
}

}  // namespace outrigger::publish
