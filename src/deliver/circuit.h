// Whether the app can be delivered to, and whom a failure is to be blamed on: the event or the app.
//
// closed    delivery goes on.
// checking  a connection was cut: nothing new is dispatched until a probe says whether the app is
//           still there. Cut attempts wait undecided (kHold) for that moment.
// down      refused, or the health check fails: nothing is dispatched, nothing uses an attempt.
//           Probes: while refused every 1 s at most (back within 2 s), while unhealthy probe →
//           probe_max.
// half down `failures` failures over `keys` keys within `window` and no success: what they used is
//           given back, and one event at a time is the probe, each time another key's (Lanes has
//           those that failed go last): one a `probe` while keys are tried that have not failed,
//           so that healthy events behind many poisoned ones are found; then probe → probe_max.
//           Keys to blame say nothing of the app.
//
// To blame are keys that failed before an event of another key began and went well, until they
// succeed themselves or have not failed for `window`: poison events that are all that is left of a
// busy topic end in the dead letters, not in an open circuit. A success that had begun before tells
// nothing of an app that fails since.
//
// Suspects: a cut that meets a dead app makes its event a suspect, without an attempt used. A
// suspect goes only when nothing else is in flight, and then nothing else goes; cut again while the
// app dies, it has used an attempt and stays a suspect. Any answer clears it.
//
// Rejections (4xx of the deterministic kind) are held while there was no success since the last
// one: the event's letter goes out when another key succeeds, and it is given back when the circuit
// opens. One that nobody comes to judge does not wait for ever: after `probe_max` it is
// dead-lettered when too few keys fail to ever open the circuit (a lone poison event on an idle
// subscription), and tried again, without an attempt, when enough keys do; those tries add up to
// `failures`, so it ends either way. This choice is ours; the contract is silent.
//
// Thread: the deliver flow's. Lifetime: of a subscription. Ids are never used twice. Time comes in
// and does not run backwards. Cost: O(1) for each result, O(failures) when the circuit moves.
// Source: contract section 4, reference.md "Delivery".
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/clock.h"

namespace outrigger::deliver {

struct CircuitPolicy {
  uint32_t failures = 20;
  uint32_t keys = 5;
  base::Duration window = std::chrono::seconds(30);
  base::Duration probe = std::chrono::seconds(1);
  base::Duration probe_max = std::chrono::seconds(30);
};

class AppCircuit {
 public:
  using Id = uint64_t;
  enum class State { kClosed, kChecking, kDown, kHalfDown };

  enum class Kind {
    kSuccess,  // the app decided: done, drop, or dead letter by its own word
    kFailure,  // an answer that means: try again
    kTimeout,
    kRejected,  // Verdict::Action::kRejected
    kCut,
    kRefused,
  };
  enum class Fate {
    kCount,       // the attempt counts: settle, or retry by the policy
    kGiveBack,    // not attempted, goes again: no attempt is used
    kHold,        // park it; its ruling comes with a later Decision
    kDeadLetter,  // a rejection that is the event's own fault; the attempt counts
  };
  struct Ruling {
    Id id = 0;
    Fate fate = Fate::kCount;
    bool operator==(const Ruling&) const = default;
  };
  struct Uncount {
    Id id = 0;
    uint32_t attempts = 0;  // that were counted and are taken back; the event may be gone by now
    bool operator==(const Uncount&) const = default;
  };
  struct Decision {
    Fate fate = Fate::kCount;           // of the event that the result is about
    std::vector<Ruling> held = {};      // of events that were on hold
    std::vector<Uncount> uncount = {};  // when the half-down circuit opens
    bool opened = false;                // and pauses the partitions; for the log and the metric
    bool closed = false;
  };

  explicit AppCircuit(CircuitPolicy policy) : policy_(policy) {}

  // Whether the event may go now. For a suspect false until nothing else is in flight: dispatch
  // waits for it, so that it is not overtaken for ever.
  bool MayDispatch(Id id, base::TimePoint now) const;
  void OnDispatched(Id id, base::TimePoint now);

  // What came of it. `key` is a hash of its lane's key; an event without a key has one of its own.
  Decision OnResult(Id id, uint64_t key, Kind kind, base::TimePoint now);

  // An event of this key came with attempts that an earlier owner of the partition has counted: no
  // open circuit took them back.
  void Blame(uint64_t key, base::TimePoint now);

  // The event is gone (revoked, cancelled): nothing more is said about it.
  void Forget(Id id);

  // True when a probe has to be sent: the health request where there is one, else a connection.
  // OnProbe follows, with its bound of time.
  bool TakeProbe(base::TimePoint now);
  enum class Probe { kUp, kRefused, kUnhealthy };
  Decision OnProbe(Probe result, base::TimePoint now);
  // The health check failed as often as `deliver.health.failures` says.
  Decision OnUnhealthy(base::TimePoint now);

  // Rejections that have waited long enough. Call at NextWake.
  Decision OnTime(base::TimePoint now);
  // The next probe, the next half-down dispatch, or the next OnTime. May lie in the past while the
  // half-down circuit finds nothing to dispatch: arm a timer only for what is to come.
  std::optional<base::TimePoint> NextWake() const;

  State state() const { return state_; }
  bool open() const { return state_ == State::kDown || state_ == State::kHalfDown; }
  size_t suspects() const { return suspects_.size(); }
  size_t held() const { return rejected_.size() + cut_.size(); }

 private:
  struct Failed {
    Id id;
    uint64_t key;
    base::TimePoint at;
  };
  struct Rejected {
    uint64_t key;
    uint32_t tries;  // each counts as a failure for as long as it is undecided
    base::TimePoint due;
    bool waiting;  // held; false: it was given back and goes once more
  };
  struct Cut {
    Id id;
    uint64_t key;
    bool alone;  // as a suspect, and nothing else was in flight
  };

  // `begun`: when it was dispatched.
  Decision OnSuccess(Id id, uint64_t key, base::TimePoint begun, base::TimePoint now);
  Decision OnFailure(Id id, uint64_t key, base::TimePoint now);
  Decision OnRejected(Id id, uint64_t key, base::TimePoint now);
  Decision OnCut(const Cut& cut, base::TimePoint now);
  Decision CountCuts(base::TimePoint now);
  Decision GoDown(Probe why, base::TimePoint now);
  // `fresh`: whose last failure the caller has not counted yet.
  Decision GoHalfDown(const std::vector<Id>& fresh, base::TimePoint now);
  // Gives back every rejection on hold (but that of `current`), and forgets all failures.
  void StartOver(Id current, Decision& decision);

  void AddFailed(Id id, uint64_t key, base::TimePoint now);
  // Failures that speak against the app: those of keys that are not to blame.
  void CountKey(uint64_t key, base::TimePoint now);
  // A probe failed: when the next one goes.
  void WaitForProbe(uint64_t key, base::TimePoint now);
  void DropKey(uint64_t key, uint32_t times = 1);
  void DropRejected(Id id);
  void Expire(base::TimePoint now);
  bool IsHalfDown() const;

  CircuitPolicy policy_;
  State state_ = State::kClosed;
  std::unordered_map<Id, base::TimePoint> in_flight_;  // since when
  std::unordered_set<Id> suspects_;
  std::optional<Id> alone_;  // the suspect that is in flight
  std::vector<Cut> cut_;     // on hold while checking

  std::deque<Failed> failed_;                    // within the window, oldest first
  std::unordered_map<uint64_t, uint32_t> keys_;  // of failed_ and rejected_ without the blamed
  uint32_t counted_ = 0;                         // all of keys_
  std::unordered_map<uint64_t, base::TimePoint> accused_;  // failed then; no success begun since
  std::unordered_map<uint64_t, base::TimePoint> blamed_;   // until when
  std::map<Id, Rejected> rejected_;  // undecided, in the order of their first rejection
  bool success_since_rejection_ = false;

  bool probing_ = false;                 // a probe of TakeProbe is under way
  std::optional<Id> probe_id_;           // the event that is the half-down circuit's probe
  std::unordered_set<uint64_t> probed_;  // keys that failed since or before the half-down opening
  base::TimePoint probe_at_{};
  base::Duration probe_wait_{};
};

}  // namespace outrigger::deliver
