#include "deliver/dispatcher.h"

#include <algorithm>
#include <cassert>
#include <functional>
#include <string>
#include <utility>

namespace outrigger::deliver {

using Action = Verdict::Action;
using Fate = AppCircuit::Fate;
using Kind = AppCircuit::Kind;

Dispatcher::Dispatcher(const DispatchPolicy& policy, Random random)
    : retry_(policy.retry),
      random_(std::move(random)),
      queues_(policy.ordering, policy.concurrency),
      circuit_(policy.circuit),
      concurrency_(policy.concurrency) {}

void Dispatcher::Add(Event& event, base::TimePoint now) {
  event.id = next_id_++;
  event.partition = event.home->number;
  // An event without a key has one of its own.
  event.circuit_key = event.key ? std::hash<std::string>()(*event.key) : event.id;
  events_.emplace(event.id, &event);
  if (event.home->offsets.attempts(event.offset) > 0) circuit_.Blame(event.circuit_key, now);
  queues_.Push(&event);
}

Dispatcher::Event* Dispatcher::Find(uint64_t id) const {
  const auto found = events_.find(id);
  return found == events_.end() ? nullptr : found->second;
}

Dispatcher::Event* Dispatcher::Next(base::TimePoint now) {
  while (auto* item = queues_.Peek(now)) {
    auto& event = static_cast<Event&>(*item);
    if (event.home->revoked) {
      queues_.Park(queues_.Next(now));  // it goes nowhere until its partition is removed
    } else if (!event.home->room->MayBegin(event.home->offsets, event.offset)) {
      queues_.Park(queues_.Next(now));
      event.home->waiting_for_room.emplace(event.offset, &event);
      decided_.push_back({&event, What::kNoted});
    } else if (event.verdict.hopeless()) {
      queues_.Next(now);
      event.home->offsets.Begin(event.offset);
      GiveUp(event);
    } else if (!circuit_.GoesLast(event.circuit_key) || !queues_.Defer(&event)) {
      return Begin(event, now) ? &event : nullptr;
    }
  }
  return nullptr;
}

bool Dispatcher::Begin(Event& event, base::TimePoint now) {
  if (!circuit_.MayDispatch(event.id, event.circuit_key, now)) return false;
  queues_.Next(now);
  event.home->offsets.Begin(event.offset);
  ++event.home->in_flight;
  event.begun = now;
  circuit_.OnDispatched(event.id, now);
  return true;
}

void Dispatcher::OnResult(Event& event, AttemptResult&& result, base::TimePoint now) {
  assert(event.in_flight());
  --event.home->in_flight;
  event.verdict = std::move(result.verdict);
  const auto decision =
      circuit_.OnResult(event.id, event.circuit_key, result.kind, now, result.asked);
  Adapt(event, result.kind, decision.overloaded, now);
  FollowCircuit();
  Rule(event, decision.fate, now);
  Apply(decision, now);
}

void Dispatcher::OnUnsendable(Event& event, Verdict verdict) {
  --event.home->in_flight;
  event.verdict = std::move(verdict);
  circuit_.Forget(event.id);
  GiveUp(event);
}

// As many attempts at once as the app answers.
void Dispatcher::Adapt(const Event& event, Kind kind, bool overloaded, base::TimePoint now) {
  if (overloaded)
    concurrency_.OnOverload(queues_.in_flight(), event.begun, now);
  else if (kind == Kind::kSuccess)
    concurrency_.OnAnswer(queues_.in_flight(), now);
  queues_.set_concurrency(concurrency_.limit());
}

void Dispatcher::FollowCircuit() {
  queues_.set_failed_last(circuit_.state() == AppCircuit::State::kDegraded);
}

// What becomes of an event whose result the circuit has ruled on.
void Dispatcher::Rule(Event& event, Fate fate, base::TimePoint now) {
  switch (fate) {
    case Fate::kNotAttempted:
      if (const auto& wait = event.verdict.wait) return queues_.RetryAt(&event, now + *wait);
      return queues_.PutBack(&event, circuit_.state() == AppCircuit::State::kDegraded
                                         ? KeyQueues::Turn::kLast
                                         : KeyQueues::Turn::kFirst);
    case Fate::kHold:
      return queues_.Park(&event);
    case Fate::kDeadLetter:
      return GiveUp(event);
    case Fate::kCount:
      break;
  }
  switch (event.verdict.action) {
    case Action::kDone:
    case Action::kDrop:
      queues_.Park(&event);
      decided_.push_back(
          {&event, event.verdict.action == Action::kDone ? What::kDelivered : What::kDropped});
      return;
    case Action::kDeadLetter:
      return GiveUp(event);
    case Action::kRetry:
    case Action::kRejected:
      return Retry(event, now);
    case Action::kAppDown:
    case Action::kCancelled:
      return queues_.PutBack(&event);
  }
}

void Dispatcher::Apply(const AppCircuit::Decision& decision, base::TimePoint now) {
  for (const auto& ruling : decision.held)
    if (Event* event = Find(ruling.id)) Rule(*event, ruling.fate, now);
  for (const auto& back : decision.uncount) {
    Event* event = Find(back.id);
    if (!event) continue;
    auto& offsets = event->home->offsets;
    const uint32_t attempts = offsets.attempts(event->offset);
    offsets.SetAttempts(event->offset, attempts - std::min(attempts, back.attempts));
    UseRoom(*event->home);
    decided_.push_back({event, What::kNoted});
  }
  FollowCircuit();
}

void Dispatcher::Retry(Event& event, base::TimePoint now) {
  auto& offsets = event.home->offsets;
  const uint32_t tried = offsets.attempts(event.offset) + 1;
  const auto wait = NextWait(retry_, tried, event.verdict.wait, random_);
  if (!wait) return GiveUp(event);
  offsets.SetAttempts(event.offset, tried);
  event.next_try = now + *wait;
  event.counted_version = offsets.version();
  queues_.Park(&event);
  event.home->awaiting_commit.push_back(&event);
  decided_.push_back({&event, What::kRetried});
}

// It can't succeed, or has been tried often enough.
void Dispatcher::GiveUp(Event& event) {
  queues_.Park(&event);
  decided_.push_back({&event, What::kGivenUp});
}

void Dispatcher::TakeDecided(std::vector<Decided>& into) {
  into.clear();
  into.swap(decided_);
}

void Dispatcher::RetryGivenUp(Event& event, base::TimePoint now) {
  if (event.verdict.hopeless()) return;
  queues_.RetryAt(&event, now + StuckWait(retry_, event.verdict.wait, random_));
}

void Dispatcher::Settle(Event& event) {
  queues_.Done(&event);
  circuit_.Forget(event.id);
  events_.erase(event.id);
  event.home->offsets.Settle(event.offset);
  UseRoom(*event.home);
}

void Dispatcher::Remove(Partition& partition) {
  for (KeyQueues::Item* item : queues_.RemovePartition(partition.number)) {
    const auto& event = static_cast<Event&>(*item);
    circuit_.Forget(event.id);
    events_.erase(event.id);
  }
  std::erase_if(decided_, [&](const Decided& each) { return each.event->home == &partition; });
  partition.in_flight = 0;
  partition.awaiting_commit.clear();
  partition.waiting_for_room.clear();
}

void Dispatcher::Committed(Partition& partition, uint64_t version) {
  std::erase_if(partition.awaiting_commit, [&](Event* event) {
    if (event->counted_version > version) return false;
    queues_.RetryAt(event, event->next_try);
    return true;
  });
}

bool Dispatcher::UseRoom(Partition& partition) {
  auto& waiting = partition.waiting_for_room;
  bool used = false;
  while (!waiting.empty() && partition.room->MayBegin(partition.offsets, waiting.begin()->first)) {
    partition.offsets.Begin(waiting.begin()->first);
    queues_.PutBack(waiting.begin()->second, KeyQueues::Turn::kNext);
    waiting.erase(waiting.begin());
    used = true;
  }
  return used;
}

std::optional<base::TimePoint> Dispatcher::NextWake(base::TimePoint now) const {
  const auto retry = queues_.NextWake();
  const auto circuit = circuit_.NextWake(now);
  if (retry && circuit) return std::max(now, std::min(*retry, *circuit));
  if (!retry && !circuit) return std::nullopt;
  return std::max(now, retry ? *retry : *circuit);
}

}  // namespace outrigger::deliver
