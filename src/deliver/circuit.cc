#include "deliver/circuit.h"

#include <algorithm>
#include <map>
#include <utility>

namespace outrigger::deliver {
namespace {

// While the app refuses connections, so that delivery is back within 2 s of its return.
constexpr base::Duration kRefusedProbe = std::chrono::milliseconds(250);
constexpr base::Duration kRefusedProbeMax = std::chrono::seconds(1);
constexpr base::Duration kSecondOpinion = std::chrono::milliseconds(500);
constexpr AppCircuit::Id kNobody = ~AppCircuit::Id{0};

}  // namespace

AppCircuit::AppProbe* AppCircuit::app_probe() {
  if (auto* checking = std::get_if<Checking>(&state_)) return &checking->probe;
  if (auto* down = std::get_if<Down>(&state_)) return &down->probe;
  return nullptr;
}

bool AppCircuit::MayDispatch(Id id, uint64_t key, base::TimePoint now) const {
  if (!suspects_.MayGo(id, in_flight_.size())) return false;
  if (const auto* degraded = std::get_if<Degraded>(&state_))
    return !degraded->probe && degraded->schedule.IsDue(key, now);
  return Is<Closed>();
}

void AppCircuit::OnDispatched(Id id, base::TimePoint now) {
  in_flight_.emplace(id, Flight{now, answers_, in_flight_.size()});
  suspects_.OnDispatched(id);
  if (auto* degraded = std::get_if<Degraded>(&state_)) degraded->probe = id;
}

AppCircuit::Decision AppCircuit::OnResult(Id id, uint64_t key, Kind kind, base::TimePoint now,
                                          std::optional<base::Duration> asked) {
  const bool alone = suspects_.OnResult(id);
  const auto known = in_flight_.extract(id);
  const Flight flight = known.empty() ? Flight{now, answers_, 0} : known.mapped();
  if (kind == Kind::kSuccess || kind == Kind::kFailure || kind == Kind::kRejected) ++answers_;
  auto* degraded = std::get_if<Degraded>(&state_);
  const bool probe = degraded && degraded->probe == id;
  if (probe) degraded->probe.reset();
  if (kind == Kind::kSuccess) return OnSuccess(id, key, flight.begun, now);
  if (kind == Kind::kRefused) return OnRefused(now);
  Note(key, probe, now, asked);
  if (kind == Kind::kUnread) {
    Decision decision{Fate::kNotAttempted};
    decision.overloaded = true;
    return decision;
  }
  if (kind == Kind::kCut) return OnCut({id, key, alone}, now);
  if (kind == Kind::kTimeout && Is<Down>()) {
    // It hung while the app died. Alone in flight it is to blame, else it may be.
    suspects_.Add(id);
    return {alone ? Fate::kCount : Fate::kNotAttempted};
  }
  suspects_.Clear(id);
  if (Is<Degraded>()) accusations_.OnFailure(key, now);
  if (open()) return {Fate::kNotAttempted};
  if (kind == Kind::kTimeout) return OnTimeout(id, key, flight, now);
  return kind == Kind::kRejected ? OnRejected(id, key, now) : OnFailure(id, key, now);
}

void AppCircuit::Note(uint64_t key, bool probe, base::TimePoint now,
                      std::optional<base::Duration> asked) {
  if (asked) asked_until_ = std::max(asked_until_, now + *asked);
  auto* degraded = std::get_if<Degraded>(&state_);
  if (!degraded) return;
  if (probe) degraded->schedule.OnProbe(key, now);
  if (asked) degraded->schedule.Ask(*asked, now);
}

AppCircuit::Decision AppCircuit::OnRefused(base::TimePoint now) {
  Decision decision = Is<Down>() ? Decision{} : GoDown(Probe::kRefused, now);
  decision.fate = Fate::kNotAttempted;
  return decision;
}

AppCircuit::Decision AppCircuit::OnSuccess(Id id, uint64_t key, base::TimePoint begun,
                                           base::TimePoint now) {
  suspects_.Clear(id);
  Decision decision;
  decision.closed = Is<Degraded>();
  if (decision.closed) state_ = Closed{};
  accusations_.OnSuccess(key, begun, now, decision.closed);
  failures_.Clear();
  succeeded_ = now;
  asked_until_ = {};
  for (const auto& judged : rejections_.TakeJudged(key, begun)) {
    accusations_.Blame(judged.key, now);
    decision.held.push_back({judged.id, Fate::kDeadLetter});
  }
  return decision;
}

AppCircuit::Decision AppCircuit::OnFailure(Id id, uint64_t key, base::TimePoint now) {
  failures_.Add({id, key, now, accusations_.OnFailure(key, now)});
  if (Is<Closed>() && failures_.Degraded()) return Degrade({id}, now);
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
  } else if (Is<Closed>() && failures_.Degraded()) {
    decision = Degrade({}, now);
  } else {
    decision.fate = Fate::kNotAttempted;
  }
  decision.overloaded = queued;
  return decision;
}

AppCircuit::Decision AppCircuit::OnRejected(Id id, uint64_t key, base::TimePoint now) {
  if (!accusations_.OnFailure(key, now)) return {Fate::kDeadLetter};
  const bool failing = !succeeded_ || *succeeded_ + policy_.window < now;
  const bool doubted = failures_.OfOthers(id, !failing, now);
  failures_.Add({id, key, now, true, true});
  if (Is<Closed>() && failures_.Degraded()) return Degrade({id}, now);
  if (doubted) rejections_.Extend(policy_.window);
  rejections_.Hold(id, key, now,
                   doubted ? policy_.window : std::min(kSecondOpinion, policy_.window));
  return {Fate::kHold};
}

AppCircuit::Decision AppCircuit::OnCut(const Cut& cut, base::TimePoint now) {
  if (open()) {
    // It was in flight when the app died, or is a probe of a degraded app that may be dying.
    const bool blamed = cut.alone && Is<Down>();
    suspects_.Add(cut.id);
    return {blamed ? Fate::kCount : Fate::kNotAttempted};
  }
  if (Is<Closed>()) state_ = Checking{{}, {now, false}};
  std::get<Checking>(state_).cut.push_back(cut);
  return {Fate::kHold};
}

// The app is still there: the cuts were failures like others.
AppCircuit::Decision AppCircuit::CountCuts(base::TimePoint now) {
  const std::vector<Cut> cuts = std::move(std::get<Checking>(state_).cut);
  state_ = Closed{};
  std::vector<Id> ids;
  for (const auto& cut : cuts) {
    ids.push_back(cut.id);
    suspects_.Clear(cut.id);
    failures_.Add({cut.id, cut.key, now, accusations_.OnFailure(cut.key, now)});
  }
  const bool degraded = failures_.Degraded();
  Decision decision = degraded ? Degrade(ids, now) : Decision{};
  for (const Id id : ids)
    decision.held.push_back({id, degraded ? Fate::kNotAttempted : Fate::kCount});
  return decision;
}

AppCircuit::Decision AppCircuit::GoDown(Probe why, base::TimePoint now) {
  Decision decision;
  decision.opened = !open();
  if (const auto* checking = std::get_if<Checking>(&state_)) {
    for (const auto& cut : checking->cut) {
      suspects_.Add(cut.id);
      decision.held.push_back({cut.id, cut.alone ? Fate::kCount : Fate::kNotAttempted});
    }
  }
  StartOver(kNobody, decision);
  accusations_.OnInterruption();
  const base::Duration wait = why == Probe::kRefused ? kRefusedProbe : policy_.probe;
  state_ = Down{{now + wait, false}, wait};
  return decision;
}

AppCircuit::Decision AppCircuit::Degrade(const std::vector<Id>& fresh, base::TimePoint now) {
  Decision decision;
  decision.fate = Fate::kNotAttempted;
  decision.opened = true;
  std::map<Id, uint32_t> counted = failures_.Attempts();
  for (const Id id : fresh)
    if (const auto own = counted.find(id); own != counted.end()) --own->second;
  for (const auto& [id, times] : counted)
    if (times > 0) decision.uncount.push_back({id, times});
  ProbeSchedule schedule(policy_.probe, policy_.probe_max);
  schedule.Start(now);
  for (const auto& failure : failures_.all()) schedule.Failed(failure.key);
  for (const uint64_t key : rejections_.Keys()) schedule.Failed(key);
  if (asked_until_ > now) schedule.Ask(asked_until_ - now, now);
  StartOver(fresh.size() == 1 ? fresh.front() : kNobody, decision);
  state_ = Degraded{std::move(schedule), {}};
  return decision;
}

void AppCircuit::StartOver(Id current, Decision& decision) {
  for (const auto& held : rejections_.TakeAll())
    if (held.id != current) decision.held.push_back({held.id, Fate::kNotAttempted});
  failures_.Clear();
  // What went well before says nothing of the app that comes back.
  succeeded_.reset();
}

void AppCircuit::Forget(Id id) {
  in_flight_.erase(id);
  suspects_.Forget(id);
  rejections_.Forget(id);
  if (auto* degraded = std::get_if<Degraded>(&state_); degraded && degraded->probe == id)
    degraded->probe.reset();
  if (auto* checking = std::get_if<Checking>(&state_))
    std::erase_if(checking->cut, [id](const Cut& cut) { return cut.id == id; });
}

bool AppCircuit::TakeProbe(base::TimePoint now) {
  AppProbe* probe = app_probe();
  if (!probe || probe->under_way || now < probe->at) return false;
  probe->under_way = true;
  return true;
}

AppCircuit::Decision AppCircuit::OnProbe(Probe result, base::TimePoint now) {
  if (Is<Checking>()) return result == Probe::kUp ? CountCuts(now) : GoDown(result, now);
  Decision decision;
  auto* down = std::get_if<Down>(&state_);
  if (!down) return decision;
  if (result == Probe::kUp) {
    state_ = Closed{};
    decision.closed = true;
    return decision;
  }
  down->wait = result == Probe::kRefused
                   ? std::min(down->wait * 2, kRefusedProbeMax)
                   : std::clamp(down->wait * 2, policy_.probe, policy_.probe_max);
  down->probe = {now + down->wait, false};
  return decision;
}

AppCircuit::Decision AppCircuit::OnUnhealthy(base::TimePoint now) {
  return Is<Down>() ? Decision{} : GoDown(Probe::kUnhealthy, now);
}

AppCircuit::Decision AppCircuit::OnTime(base::TimePoint now) {
  Decision decision;
  if (!Is<Closed>() || rejections_.size() == 0) return decision;
  const std::vector<Id> due = rejections_.Due(now);
  if (due.empty()) return decision;
  if (failures_.Keys(rejections_.Keys(), now) >= policy_.keys) return Degrade({}, now);
  for (const Id id : due) {
    decision.held.push_back({id, Fate::kDeadLetter});
    rejections_.Forget(id);
  }
  return decision;
}

std::optional<base::TimePoint> AppCircuit::NextWake(base::TimePoint now) const {
  if (const auto* degraded = std::get_if<Degraded>(&state_))
    return degraded->probe ? std::nullopt : degraded->schedule.Next(now);
  if (const AppProbe* probe = app_probe())
    return probe->under_way ? std::nullopt : std::optional(probe->at);
  return rejections_.Next();
}

}  // namespace outrigger::deliver
