// Whether the app can be delivered to, and whom a failure is to be blamed on: the event or the app.
//
// closed    delivery goes on.
// checking  a connection was cut: nothing new is dispatched until a probe says whether the app is
//           still there. Cut attempts wait undecided (kHold) for that moment.
// down      refused, or the health check fails: nothing is dispatched, nothing uses an attempt.
//           Probes: while refused every 1 s at most (back within 2 s), while unhealthy probe →
//           probe_max.
// degraded  nothing but failures: `failures` of them over `keys` keys within `window`,
//           or time-outs of two events and no answer to anybody (FailureWindow). The attempts that
//           they used are not counted, and one event at a time is the probe (ProbeSchedule). Keys
//           to blame say nothing of the app (Accusations). Where no event of another key succeeds
//           the two can't be told apart, and no dead-letter record is written however long that
//           takes: a retry each 30 s costs little, the dead-letter records of an outage much.
//
// A time-out is not the event's fault, and no attempt, where the app had not come to it: it has not
// answered more calls since than were under way beside it. Fewer should be then (`overloaded`).
//
// Suspects: a cut that meets a dead app makes its event a suspect, without an attempt used. A
// suspect goes only when nothing else is in flight, and then nothing else goes; cut again while the
// app dies, it has used an attempt and stays a suspect. Any answer clears it.
//
// Rejections (4xx of the deterministic kind) are the event's own fault, unless the app rejects
// everything (a token that ran out). So a rejection waits for a call of another key that begins
// later: when that succeeds the event becomes a dead-letter record. It waits for kSecondOpinion
// only, so that a lone bad event becomes one at once; and for `window` where the app has answered
// nothing but failures for that long, or another event was rejected since the last success. After
// that it is one, unless `keys` keys fail: then the app is degraded, and nothing was attempted. The
// price: on a topic with fewer than two events in kSecondOpinion, or with fewer than `keys` keys,
// the first event or events of such an outage become such records, for nothing tells them from bad
// ones.
//
// Thread: the deliver flow's. Lifetime: of a subscription. Ids are never used twice. Time comes in
// and does not run backwards. Cost: O(1) for each result, O(failures) when the circuit moves.
// Source: contract section 4, reference.md "Delivery".
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "deliver/accusations.h"
#include "deliver/failure_window.h"
#include "deliver/held_rejections.h"
#include "deliver/probe_schedule.h"
#include "deliver/suspects.h"

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
  // In the order of the states' types below.
  enum class State { kClosed, kChecking, kDown, kDegraded };

  enum class Kind {
    kSuccess,  // the app decided: done, drop, or dead letter by its own word
    kFailure,  // an answer that means: try again
    kTimeout,
    kUnread,    // a time-out before the app read the call: not attempted
    kRejected,  // Verdict::Action::kRejected
    kCut,
    kRefused,
  };
  enum class Fate {
    kCount,         // the attempt counts: settle, or retry by the policy
    kNotAttempted,  // goes again: no attempt is used
    kHold,          // park it; its ruling comes with a later Decision
    kDeadLetter,    // a rejection that is the event's own fault; the attempt counts
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
    std::vector<Uncount> uncount = {};  // when the app turns out to be degraded
    bool overloaded = false;            // the app gets more at once than it answers
    bool opened = false;                // and pauses the partitions; for the log and the metric
    bool closed = false;
  };

  explicit AppCircuit(CircuitPolicy policy)
      : policy_(policy),
        accusations_(policy.window),
        failures_({policy.failures, policy.keys, policy.window}) {}

  // Whether the event may go now. For a suspect false until nothing else is in flight: dispatch
  // waits for it, so that it is not overtaken for ever. `key` as for OnResult.
  bool MayDispatch(Id id, uint64_t key, base::TimePoint now) const;
  // Of a degraded app: the key has failed, and those that have not go first.
  bool GoesLast(uint64_t key) const {
    const auto* degraded = std::get_if<Degraded>(&state_);
    return degraded && degraded->schedule.HasFailed(key);
  }
  void OnDispatched(Id id, base::TimePoint now);

  // What came of it. `key` is a hash of its record's key; an event without a key has one of its
  // own. `asked`: how long the app, as a whole, is to be left alone (Retry-After).
  Decision OnResult(Id id, uint64_t key, Kind kind, base::TimePoint now,
                    std::optional<base::Duration> asked = {});

  // An event of this key came with attempts that an earlier owner of the partition has counted: no
  // open circuit took them back.
  void Blame(uint64_t key, base::TimePoint now) { accusations_.Blame(key, now); }

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
  // The next probe, the next dispatch to a degraded app, or the next OnTime.
  std::optional<base::TimePoint> NextWake(base::TimePoint now) const;

  State state() const { return static_cast<State>(state_.index()); }
  bool open() const { return Is<Down>() || Is<Degraded>(); }
  size_t suspects() const { return suspects_.size(); }
  size_t held() const {
    const auto* checking = std::get_if<Checking>(&state_);
    return rejections_.size() + (checking ? checking->cut.size() : 0);
  }

 private:
  struct Flight {
    base::TimePoint begun;
    uint64_t answers = 0;  // that had come by then
    size_t others = 0;     // in flight then
  };
  struct Cut {
    Id id;
    uint64_t key;
    bool alone;  // as a suspect, and nothing else was in flight
  };
  // When the app itself, not an event, is tried.
  struct AppProbe {
    base::TimePoint at{};
    bool under_way = false;
  };

  struct Closed {};
  struct Checking {
    std::vector<Cut> cut;  // on hold
    AppProbe probe;
  };
  struct Down {
    AppProbe probe;
    base::Duration wait;  // after this probe
  };
  struct Degraded {
    ProbeSchedule schedule;
    std::optional<Id> probe;  // the event that is in flight
  };

  template <class What>
  bool Is() const {
    return std::holds_alternative<What>(state_);
  }
  // Of the states that try the app itself.
  AppProbe* app_probe();
  const AppProbe* app_probe() const { return const_cast<AppCircuit*>(this)->app_probe(); }

  // `begun`: when it was dispatched.
  Decision OnSuccess(Id id, uint64_t key, base::TimePoint begun, base::TimePoint now);
  Decision OnRefused(base::TimePoint now);
  // What an answer that is no success says of a degraded app. `probe`: it was the probe.
  void Note(uint64_t key, bool probe, base::TimePoint now, std::optional<base::Duration> asked);
  Decision OnFailure(Id id, uint64_t key, base::TimePoint now);
  Decision OnTimeout(Id id, uint64_t key, const Flight& flight, base::TimePoint now);
  Decision OnRejected(Id id, uint64_t key, base::TimePoint now);
  Decision OnCut(const Cut& cut, base::TimePoint now);
  Decision CountCuts(base::TimePoint now);
  Decision GoDown(Probe why, base::TimePoint now);
  // `fresh`: whose last failure the caller has not counted yet.
  Decision Degrade(const std::vector<Id>& fresh, base::TimePoint now);
  // No rejection on hold (but that of `current`) was attempted; all failures are forgotten.
  void StartOver(Id current, Decision& decision);

  CircuitPolicy policy_;
  std::variant<Closed, Checking, Down, Degraded> state_;
  std::unordered_map<Id, Flight> in_flight_;
  uint64_t answers_ = 0;  // so far, good or bad
  Suspects suspects_;
  Accusations accusations_;
  FailureWindow failures_;
  HeldRejections rejections_;
  std::optional<base::TimePoint> succeeded_;
  base::TimePoint asked_until_{};  // since the last success
};

}  // namespace outrigger::deliver
