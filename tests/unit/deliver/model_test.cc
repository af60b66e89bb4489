// Lanes, circuit and retries together against a model of an app that dies, comes back, loses its
// database and is killed by single events; in simulated time.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "deliver/circuit.h"
#include "deliver/lanes.h"
#include "deliver/retry.h"

namespace outrigger::deliver {
namespace {

using Kind = AppCircuit::Kind;
using Fate = AppCircuit::Fate;
using std::chrono::milliseconds;
using std::chrono::seconds;

struct Event : Lanes::Item {
  uint64_t id = 0;
  uint64_t lane_hash = 0;
  uint32_t attempts = 0;
  bool kills = false;    // the app dies of it
  bool rejects = false;  // 422
  bool settled = false;
  bool dead = false;
};

class Model {
 public:
  // Without `weather` the app dies of events only, and of one in `killers`.
  Model(uint32_t seed, bool weather, uint32_t killers)
      : random_(seed), weather_(weather), killers_(killers) {
    for (uint64_t id = 0; id < 3000; ++id) left_.insert(id);
  }

  // True when every event was settled within an hour.
  bool Run() {
    for (const auto end = now_ + std::chrono::hours(1); !left_.empty() && now_ < end;
         now_ += milliseconds(20)) {
      Weather();
      if (events_.size() < 3000) Arrive(events_.size());
      if (circuit_.TakeProbe(now_))
        Apply(circuit_.OnProbe(up_ ? AppCircuit::Probe::kUp : AppCircuit::Probe::kRefused, now_));
      Apply(circuit_.OnTime(now_));
      Dispatch();
      Answer();
    }
    return left_.empty();
  }

  const std::map<uint64_t, Event>& events() const { return events_; }

 private:
  void Arrive(uint64_t id) {
    Event& event = events_[id];
    event.id = id;
    event.lane_hash = random_() % 60;
    event.key = std::to_string(event.lane_hash);
    event.kills = random_() % killers_ == 0;
    event.rejects = random_() % 100 == 0;
    lanes_.Push(&event);
  }

  // The app goes down, or half down, now and then, for as long as there are keys enough to tell.
  void Weather() {
    if (now_ >= back_at_) up_ = true;
    if (now_ >= well_at_) database_ = true;
    if (!weather_ || events_.size() > 2500) return;
    if (random_() % 500 == 0) Die();
    if (random_() % 500 == 0) {
      database_ = false;
      well_at_ = now_ + seconds(random_() % 20);
    }
  }

  void Die() {
    up_ = false;
    back_at_ = now_ + milliseconds(100 + random_() % 5000);  // a restart is slower than a probe
    for (Event* event : std::exchange(flying_, {})) Result(event, Kind::kCut);
  }

  void Dispatch() {
    while (Lanes::Item* head = lanes_.Peek(now_)) {
      auto* event = static_cast<Event*>(head);
      if (circuit_.GoesLast(event->lane_hash) && lanes_.Defer(event)) continue;
      if (!circuit_.MayDispatch(event->id, event->lane_hash, now_)) return;
      lanes_.Next(now_);
      circuit_.OnDispatched(event->id, now_);
      flying_.push_back(event);
    }
  }

  void Answer() {
    for (size_t count = random_() % 8; count > 0 && !flying_.empty(); --count) {
      const size_t at = random_() % flying_.size();
      Event* event = flying_[at];
      if (up_ && event->kills) return Die();
      flying_.erase(flying_.begin() + static_cast<std::ptrdiff_t>(at));
      Result(event, !up_             ? Kind::kRefused
                    : !database_     ? Kind::kFailure
                    : event->rejects ? Kind::kRejected
                                     : Kind::kSuccess);
    }
  }

  void Result(Event* event, Kind kind) {
    auto decision = circuit_.OnResult(event->id, event->lane_hash, kind, now_);
    lanes_.set_failed_last(circuit_.state() == AppCircuit::State::kHalfDown);
    if (kind == Kind::kSuccess) {
      Settle(event);
    } else {
      Rule(event, decision.fate);
    }
    Apply(decision);
  }

  void Apply(const AppCircuit::Decision& decision) {
    lanes_.set_failed_last(circuit_.state() == AppCircuit::State::kHalfDown);
    for (const auto& [id, attempts] : decision.uncount) events_[id].attempts -= attempts;
    for (const auto& [id, fate] : decision.held) {
      ASSERT_TRUE(left_.contains(id));
      Rule(&events_[id], fate);
    }
  }

  void Rule(Event* event, Fate fate) {
    if (fate == Fate::kHold) return lanes_.Park(event);
    if (fate == Fate::kGiveBack)
      return lanes_.GiveBack(event, circuit_.state() == AppCircuit::State::kHalfDown
                                        ? Lanes::Turn::kLast
                                        : Lanes::Turn::kFirst);
    ++event->attempts;
    const auto wait = NextWait(RetryPolicy{}, event->attempts, {}, [this] { return random_(); });
    if (fate == Fate::kCount && wait) return lanes_.RetryAt(event, now_ + *wait);
    event->dead = true;
    Settle(event);
  }

  void Settle(Event* event) {
    ASSERT_FALSE(event->settled);
    event->settled = true;
    lanes_.Done(event);
    circuit_.Forget(event->id);
    left_.erase(event->id);
  }

  std::mt19937_64 random_;
  bool weather_;
  uint32_t killers_;
  base::TimePoint now_{};
  std::map<uint64_t, Event> events_;
  std::set<uint64_t> left_;
  Lanes lanes_{Ordering::kKey, 16};
  AppCircuit circuit_{CircuitPolicy{}};
  std::vector<Event*> flying_;
  bool up_ = true;
  bool database_ = true;
  base::TimePoint back_at_{};
  base::TimePoint well_at_{};
};

TEST(DeliverModel, EveryEventIsSettledOnceAndOnlyBadOnesAreDeadLettered) {
  for (uint32_t seed = 0; seed < 30; ++seed) {
    Model model(seed, true, 1000);
    ASSERT_TRUE(model.Run()) << "seed " << seed;
    for (const auto& [id, event] : model.events()) {
      ASSERT_EQ(event.dead, event.kills || event.rejects) << "event " << id << ", seed " << seed;
      ASSERT_LE(event.attempts, 5U) << "event " << id << ", seed " << seed;
      ASSERT_TRUE(event.settled);
    }
  }
}

TEST(DeliverModel, AnEventThatKillsTheAppCostsNoOtherAnAttempt) {
  for (uint32_t seed = 0; seed < 30; ++seed) {
    Model model(seed, false, 200);
    ASSERT_TRUE(model.Run()) << "seed " << seed;
    for (const auto& [id, event] : model.events()) {
      const uint32_t wanted = event.kills ? 5 : event.rejects ? 1 : 0;
      ASSERT_EQ(event.attempts, wanted) << "event " << id << ", seed " << seed;
    }
  }
}

}  // namespace
}  // namespace outrigger::deliver
