#include "deliver/circuit.h"

#include <algorithm>

namespace outrigger::deliver {
namespace {

// While the app refuses connections, so that delivery is back within 2 s of its return.
constexpr base::Duration kRefusedProbe = std::chrono::milliseconds(250);
constexpr base::Duration kRefusedProbeMax = std::chrono::seconds(1);
constexpr base::Duration kSecondOpinion = std::chrono::milliseconds(500);
constexpr AppCircuit::Id kNobody = ~AppCircuit::Id{0};

}  // namespace

bool AppCircuit::MayDispatch(Id id, uint64_t key, base::TimePoint now) const {
  if (alone_ || (suspects_.contains(id) && !in_flight_.empty())) return false;
  if (state_ == State::kHalfDown) return !probe_id_ && schedule_.IsDue(key, now);
  return state_ == State::kClosed;
}

void AppCircuit::OnDispatched(Id id, base::TimePoint now) {
  in_flight_.emplace(id, Flight{now, answers_, in_flight_.size()});
  if (suspects_.contains(id)) alone_ = id;
  if (state_ == State::kHalfDown) probe_id_ = id;
}

AppCircuit::Decision AppCircuit::OnResult(Id id, uint64_t key, Kind kind, base::TimePoint now,
                                          std::optional<base::Duration> asked) {
  const bool alone = alone_ == id;
  const bool probe = probe_id_ == id;
  const auto known = in_flight_.extract(id);
  const Flight flight = known.empty() ? Flight{now, answers_, 0} : known.mapped();
  if (kind == Kind::kSuccess || kind == Kind::kFailure || kind == Kind::kRejected) ++answers_;
  if (alone) alone_.reset();
  if (probe) probe_id_.reset();
  if (kind == Kind::kSuccess) return OnSuccess(id, key, flight.begun, now);
  if (kind == Kind::kRefused) {
    if (state_ != State::kDown) {
      Decision decision = GoDown(Probe::kRefused, now);
      decision.fate = Fate::kGiveBack;
      return decision;
    }
    return {Fate::kGiveBack};
  }
  if (asked) asked_until_ = std::max(asked_until_, now + *asked);
  if (state_ == State::kHalfDown) {
    if (probe) schedule_.OnProbe(key, now);
    if (asked) schedule_.Ask(*asked, now);
  }
  if (kind == Kind::kUnread) {
    Decision decision{Fate::kGiveBack};
    decision.overloaded = true;
    return decision;
  }
  if (kind == Kind::kCut) return OnCut({id, key, alone}, now);
  if (kind == Kind::kTimeout && state_ == State::kDown) {
    // It hung while the app died. Alone in flight it is to blame, else it may be.
    suspects_.insert(id);
    return {alone ? Fate::kCount : Fate::kGiveBack};
  }
  suspects_.erase(id);
  if (state_ == State::kHalfDown) accusations_.OnFailure(key, now);
  if (open()) return {Fate::kGiveBack};
  if (kind == Kind::kTimeout) return OnTimeout(id, key, flight, now);
  return kind == Kind::kRejected ? OnRejected(id, key, now) : OnFailure(id, key, now);
}

AppCircuit::Decision AppCircuit::OnSuccess(Id id, uint64_t key, base::TimePoint begun,
                                           base::TimePoint now) {
  suspects_.erase(id);
  Decision decision;
  decision.closed = state_ == State::kHalfDown;
  if (decision.closed) state_ = State::kClosed;
  accusations_.OnSuccess(key, begun, now, decision.closed);
  failures_.Clear();
  succeeded_ = now;
  asked_until_ = {};
  std::erase_if(rejected_, [&](const auto& held) {
    const auto& [other, rejected] = held;
    // The same key has no say in it, nor has what the app had begun before.
    if (rejected.key == key || rejected.at > begun) return false;
    accusations_.Blame(rejected.key, now);
    decision.held.push_back({other, Fate::kDeadLetter});
    return true;
  });
  return decision;
}

AppCircuit::Decision AppCircuit::OnFailure(Id id, uint64_t key, base::TimePoint now) {
  failures_.Add({id, key, now, accusations_.OnFailure(key, now)});
  if (state_ == State::kClosed && failures_.Degraded()) return GoHalfDown({id}, now);
  return {};
}

AppCircuit::Decision AppCircuit::OnTimeout(Id id, uint64_t key, const Flight& flight,
                                           base::TimePoint now) {
  const uint64_t answered = answers_ - flight.answers;
  const size_t others = std::max(flight.others, in_flight_.size());
  const bool queued = others > 0 && answered <= others;
  if (answered == 0 && !accusations_.ToBlame(key, now)) failures_.AddSilence(id, flight.begun, now);
  Decision decision;
  if (!queued) {
    decision = OnFailure(id, key, now);
  } else if (state_ == State::kClosed && failures_.Degraded()) {
    decision = GoHalfDown({}, now);
  } else {
    decision.fate = Fate::kGiveBack;
  }
  decision.overloaded = queued;
  return decision;
}

AppCircuit::Decision AppCircuit::OnRejected(Id id, uint64_t key, base::TimePoint now) {
  if (!accusations_.OnFailure(key, now)) return {Fate::kDeadLetter};
  const bool failing = !succeeded_ || *succeeded_ + policy_.window < now;
  const bool doubted = failures_.OfOthers(id, !failing, now);
  failures_.Add({id, key, now, true, true});
  if (state_ == State::kClosed && failures_.Degraded()) return GoHalfDown({id}, now);
  if (doubted)
    for (auto& [other, rejected] : rejected_) rejected.due = rejected.at + policy_.window;
  rejected_[id] = {key, now,
                   now + (doubted ? policy_.window : std::min(kSecondOpinion, policy_.window))};
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
    failures_.Add({cut.id, cut.key, now, accusations_.OnFailure(cut.key, now)});
  }
  cut_.clear();
  const bool half_down = failures_.Degraded();
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
  accusations_.OnInterruption();
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
  std::map<Id, uint32_t> counted = failures_.Attempts();
  for (const Id id : fresh)
    if (const auto own = counted.find(id); own != counted.end()) --own->second;
  for (const auto& [id, times] : counted)
    if (times > 0) decision.uncount.push_back({id, times});
  schedule_.Start(now);
  for (const auto& failure : failures_.all()) schedule_.Failed(failure.key);
  for (const auto& [id, rejected] : rejected_) schedule_.Failed(rejected.key);
  if (asked_until_ > now) schedule_.Ask(asked_until_ - now, now);
  StartOver(fresh.size() == 1 ? fresh.front() : kNobody, decision);
  state_ = State::kHalfDown;
  probe_id_.reset();
  return decision;
}

void AppCircuit::StartOver(Id current, Decision& decision) {
  for (const auto& [id, rejected] : rejected_)
    if (id != current) decision.held.push_back({id, Fate::kGiveBack});
  rejected_.clear();
  failures_.Clear();
  // What went well before says nothing of the app that comes back.
  succeeded_.reset();
}

void AppCircuit::Forget(Id id) {
  in_flight_.erase(id);
  suspects_.erase(id);
  if (alone_ == id) alone_.reset();
  if (probe_id_ == id) probe_id_.reset();
  std::erase_if(cut_, [id](const Cut& cut) { return cut.id == id; });
  rejected_.erase(id);
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
  std::unordered_set<uint64_t> keys;
  for (const auto& [id, rejected] : rejected_) {
    keys.insert(rejected.key);
    if (rejected.due <= now) decision.held.push_back({id, Fate::kDeadLetter});
  }
  if (decision.held.empty()) return decision;
  if (failures_.Keys(std::move(keys), now) >= policy_.keys) return GoHalfDown({}, now);
  for (const auto& ruling : decision.held) rejected_.erase(ruling.id);
  return decision;
}

std::optional<base::TimePoint> AppCircuit::NextWake(base::TimePoint now) const {
  if (state_ == State::kHalfDown) return probe_id_ ? std::nullopt : schedule_.Next(now);
  if (state_ != State::kClosed) return probing_ ? std::nullopt : std::optional(probe_at_);
  std::optional<base::TimePoint> wake;
  for (const auto& [id, rejected] : rejected_)
    if (!wake || rejected.due < *wake) wake = rejected.due;
  return wake;
}

}  // namespace outrigger::deliver
