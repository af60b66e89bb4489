#include "deliver/circuit.h"

#include <algorithm>

namespace outrigger::deliver {
namespace {

// While the app refuses connections, so that delivery is back within 2 s of its return.
constexpr base::Duration kRefusedProbe = std::chrono::milliseconds(250);
constexpr base::Duration kRefusedProbeMax = std::chrono::seconds(1);
// Failures, and keys to blame, that are remembered: few keys that fail fast, or many that nobody
// mends, must not fill the memory.
constexpr size_t kMostFailed = 4096;
constexpr AppCircuit::Id kNobody = ~AppCircuit::Id{0};

}  // namespace

bool AppCircuit::MayDispatch(Id id, base::TimePoint now) const {
  if (alone_ || (suspects_.contains(id) && !in_flight_.empty())) return false;
  if (state_ == State::kHalfDown) return !probe_id_ && now >= probe_at_;
  return state_ == State::kClosed;
}

void AppCircuit::OnDispatched(Id id, base::TimePoint now) {
  in_flight_.emplace(id, now);
  if (suspects_.contains(id)) alone_ = id;
  if (state_ == State::kHalfDown) probe_id_ = id;
}

AppCircuit::Decision AppCircuit::OnResult(Id id, uint64_t key, Kind kind, base::TimePoint now) {
  const bool alone = alone_ == id;
  const bool probe = probe_id_ == id;
  const auto flight = in_flight_.extract(id);
  if (alone) alone_.reset();
  if (probe) probe_id_.reset();
  if (kind == Kind::kSuccess)
    return OnSuccess(id, key, flight.empty() ? now : flight.mapped(), now);
  if (kind == Kind::kRefused) {
    if (state_ != State::kDown) {
      Decision decision = GoDown(Probe::kRefused, now);
      decision.fate = Fate::kGiveBack;
      return decision;
    }
    return {Fate::kGiveBack};
  }
  if (probe) WaitForProbe(key, now);
  if (kind == Kind::kCut) return OnCut({id, key, alone}, now);
  if (kind == Kind::kTimeout && state_ == State::kDown) {
    // It hung while the app died. Alone in flight it is to blame, else it may be.
    suspects_.insert(id);
    return {alone ? Fate::kCount : Fate::kGiveBack};
  }
  suspects_.erase(id);
  if (open()) return {Fate::kGiveBack};
  return kind == Kind::kRejected ? OnRejected(id, key, now) : OnFailure(id, key, now);
}

void AppCircuit::WaitForProbe(uint64_t key, base::TimePoint now) {
  const bool known = probed_.size() >= kMostFailed || !probed_.insert(key).second;
  if (known) probe_wait_ = std::min(probe_wait_ * 2, policy_.probe_max);
  probe_at_ = now + probe_wait_;
}

AppCircuit::Decision AppCircuit::OnSuccess(Id id, uint64_t key, base::TimePoint begun,
                                           base::TimePoint now) {
  suspects_.erase(id);
  success_since_rejection_ = true;
  Decision decision;
  accused_.erase(key);
  std::erase_if(accused_, [&](const auto& accused) {
    if (accused.second > begun) return false;
    Blame(accused.first, now);
    return true;
  });
  failed_.clear();
  keys_.clear();
  counted_ = 0;
  blamed_.erase(key);
  for (auto at = rejected_.begin(); at != rejected_.end();) {
    auto& [other, rejected] = *at;
    if (rejected.waiting && rejected.key == key && other != id) {
      // The same key has no say in it. It waits on, as if it had come now.
      rejected.tries = 1;
      CountKey(key, now);
      ++at;
      continue;
    }
    if (rejected.waiting) {
      Blame(rejected.key, now);
      decision.held.push_back({other, Fate::kDeadLetter});
    }
    at = rejected_.erase(at);
  }
  if (state_ == State::kHalfDown) {
    state_ = State::kClosed;
    decision.closed = true;
  }
  return decision;
}

AppCircuit::Decision AppCircuit::OnFailure(Id id, uint64_t key, base::TimePoint now) {
  DropRejected(id);
  AddFailed(id, key, now);
  if (state_ == State::kClosed && IsHalfDown()) return GoHalfDown({id}, now);
  return {};
}

AppCircuit::Decision AppCircuit::OnRejected(Id id, uint64_t key, base::TimePoint now) {
  if (success_since_rejection_) {
    success_since_rejection_ = false;
    DropRejected(id);
    AddFailed(id, key, now);
    return {Fate::kDeadLetter};
  }
  Expire(now);
  Rejected& rejected = rejected_[id];
  rejected = {key, rejected.tries + 1, now + policy_.probe_max, true};
  CountKey(key, now);
  if (state_ == State::kClosed && IsHalfDown()) return GoHalfDown({id}, now);
  return {Fate::kHold};
}

AppCircuit::Decision AppCircuit::OnCut(const Cut& cut, base::TimePoint now) {
  if (open()) {
    // It was in flight when the app died, or is a probe of a half-down app that may be dying.
    const bool blamed = cut.alone && state_ == State::kDown;
    suspects_.insert(cut.id);
    return {blamed ? Fate::kCount : Fate::kGiveBack};
  }
  if (state_ == State::kClosed) {
    state_ = State::kChecking;
    probing_ = false;
    probe_at_ = now;
  }
  cut_.push_back(cut);
  return {Fate::kHold};
}

// The app is still there: the cuts were failures like others.
AppCircuit::Decision AppCircuit::CountCuts(base::TimePoint now) {
  state_ = State::kClosed;
  std::vector<Id> ids;
  for (const auto& cut : cut_) {
    ids.push_back(cut.id);
    suspects_.erase(cut.id);
    DropRejected(cut.id);
    AddFailed(cut.id, cut.key, now);
  }
  cut_.clear();
  const bool half_down = IsHalfDown();
  Decision decision = half_down ? GoHalfDown(ids, now) : Decision{};
  for (const Id id : ids) decision.held.push_back({id, half_down ? Fate::kGiveBack : Fate::kCount});
  return decision;
}

AppCircuit::Decision AppCircuit::GoDown(Probe why, base::TimePoint now) {
  Decision decision;
  decision.opened = !open();
  for (const auto& cut : cut_) {
    suspects_.insert(cut.id);
    decision.held.push_back({cut.id, cut.alone ? Fate::kCount : Fate::kGiveBack});
  }
  cut_.clear();
  StartOver(kNobody, decision);
  state_ = State::kDown;
  probing_ = false;
  probe_id_.reset();
  probe_wait_ = why == Probe::kRefused ? kRefusedProbe : policy_.probe;
  probe_at_ = now + probe_wait_;
  return decision;
}

AppCircuit::Decision AppCircuit::GoHalfDown(const std::vector<Id>& fresh, base::TimePoint now) {
  Decision decision;
  decision.fate = Fate::kGiveBack;
  decision.opened = true;
  std::map<Id, uint32_t> counted;
  for (const auto& failed : failed_) ++counted[failed.id];
  for (const Id id : fresh)
    if (const auto own = counted.find(id); own != counted.end()) --own->second;
  for (const auto& [id, times] : counted)
    if (times > 0) decision.uncount.push_back({id, times});
  probed_.clear();
  for (const auto& failed : failed_) probed_.insert(failed.key);
  for (const auto& [id, rejected] : rejected_) probed_.insert(rejected.key);
  StartOver(fresh.size() == 1 ? fresh.front() : kNobody, decision);
  state_ = State::kHalfDown;
  probe_id_.reset();
  probe_wait_ = policy_.probe;
  probe_at_ = now + probe_wait_;
  return decision;
}

void AppCircuit::StartOver(Id current, Decision& decision) {
  for (const auto& [id, rejected] : rejected_)
    if (rejected.waiting && id != current) decision.held.push_back({id, Fate::kGiveBack});
  rejected_.clear();
  failed_.clear();
  keys_.clear();
  counted_ = 0;
  accused_.clear();
  // What went well before says nothing of the app that comes back.
  success_since_rejection_ = false;
}

void AppCircuit::Forget(Id id) {
  in_flight_.erase(id);
  suspects_.erase(id);
  if (alone_ == id) alone_.reset();
  if (probe_id_ == id) probe_id_.reset();
  std::erase_if(cut_, [id](const Cut& cut) { return cut.id == id; });
  DropRejected(id);
}

bool AppCircuit::TakeProbe(base::TimePoint now) {
  const bool wanted = state_ == State::kChecking || state_ == State::kDown;
  if (!wanted || probing_ || now < probe_at_) return false;
  probing_ = true;
  return true;
}

AppCircuit::Decision AppCircuit::OnProbe(Probe result, base::TimePoint now) {
  probing_ = false;
  if (state_ == State::kChecking)
    return result == Probe::kUp ? CountCuts(now) : GoDown(result, now);
  Decision decision;
  if (state_ != State::kDown) return decision;
  if (result == Probe::kUp) {
    state_ = State::kClosed;
    decision.closed = true;
    return decision;
  }
  probe_wait_ = result == Probe::kRefused
                    ? std::min(probe_wait_ * 2, kRefusedProbeMax)
                    : std::clamp(probe_wait_ * 2, policy_.probe, policy_.probe_max);
  probe_at_ = now + probe_wait_;
  return decision;
}

AppCircuit::Decision AppCircuit::OnUnhealthy(base::TimePoint now) {
  if (state_ == State::kDown) return {};
  return GoDown(Probe::kUnhealthy, now);
}

AppCircuit::Decision AppCircuit::OnTime(base::TimePoint now) {
  Decision decision;
  if (state_ != State::kClosed) return decision;
  Expire(now);
  const bool few = keys_.size() < policy_.keys;
  std::vector<Id> decided;
  for (auto& [id, rejected] : rejected_) {
    if (!rejected.waiting || rejected.due > now) continue;
    decision.held.push_back({id, few ? Fate::kDeadLetter : Fate::kGiveBack});
    rejected.waiting = false;
    if (few) decided.push_back(id);
  }
  for (const Id id : decided) DropRejected(id);
  return decision;
}

std::optional<base::TimePoint> AppCircuit::NextWake() const {
  if (state_ == State::kHalfDown) return probe_id_ ? std::nullopt : std::optional(probe_at_);
  if (state_ != State::kClosed) return probing_ ? std::nullopt : std::optional(probe_at_);
  std::optional<base::TimePoint> wake;
  for (const auto& [id, rejected] : rejected_)
    if (rejected.waiting && (!wake || rejected.due < *wake)) wake = rejected.due;
  return wake;
}

void AppCircuit::AddFailed(Id id, uint64_t key, base::TimePoint now) {
  Expire(now);
  failed_.push_back({id, key, now});
  if (accused_.size() < kMostFailed) accused_[key] = now;
  CountKey(key, now);
}

void AppCircuit::Blame(uint64_t key, base::TimePoint now) {
  if (blamed_.size() >= kMostFailed) blamed_.clear();
  blamed_[key] = now + policy_.window;
}

void AppCircuit::CountKey(uint64_t key, base::TimePoint now) {
  const auto blamed = blamed_.find(key);
  if (blamed != blamed_.end() && now < blamed->second) {
    blamed->second = now + policy_.window;
    return;
  }
  ++keys_[key];
  ++counted_;
}

void AppCircuit::DropKey(uint64_t key, uint32_t times) {
  const auto known = keys_.find(key);
  if (known == keys_.end()) return;
  times = std::min(times, known->second);
  counted_ -= times;
  if ((known->second -= times) == 0) keys_.erase(known);
}

void AppCircuit::DropRejected(Id id) {
  const auto known = rejected_.find(id);
  if (known == rejected_.end()) return;
  DropKey(known->second.key, known->second.tries);
  rejected_.erase(known);
}

void AppCircuit::Expire(base::TimePoint now) {
  while (!failed_.empty() &&
         (failed_.front().at + policy_.window < now || failed_.size() >= kMostFailed)) {
    DropKey(failed_.front().key);
    failed_.pop_front();
  }
}

bool AppCircuit::IsHalfDown() const {
  return counted_ >= policy_.failures && keys_.size() >= policy_.keys;
}

}  // namespace outrigger::deliver
