// What the app's answer to one event means: done, once more, dead letter, or "the app is not
// there".
//
// Pure; thread: the deliver flow's. Verdicts are plain values that own what they hold. Every answer
// and every failed call has exactly one verdict, and reading it never fails.
// Source: contract section 4, the table of answers; RFC 9110 section 10.2.3 (Retry-After) and 5.6.7
// (HTTP dates).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "event/json.h"
#include "http/client.h"

namespace outrigger::deliver {

// No wait that an app asks for is longer: a wrong unit must not hold a key for a year.
inline constexpr base::Duration kLongestWait = std::chrono::hours(1);

// Why an attempt failed: the values of `reason` of outrigger_consumer_failures_total, and none.
enum class Reason {
  kNone,     // it did not fail, or the app itself asked for another try
  kTimeout,  // no whole answer in time
  kRefused,  // no connection, or it was cut
  kStatus3xx,
  kStatus4xx,
  kStatus5xx,
  kUndecodable,  // the record, or the app's answer, can't be read
};
std::string_view Label(Reason reason);  // "timeout", "status_4xx", …; kNone is ""

struct Verdict {
  enum class Action {
    kDone,
    kDrop,        // settled without effect, as the app asked
    kRetry,       // again after backoff, and not before `wait`
    kDeadLetter,  // at once: the app said so, or the record can't be decoded
    kRejected,    // a 4xx of the deterministic kind: AppCircuit decides whether event or app is ill
    kAppDown,     // not attempted: the circuit opens
    kCancelled,   // not attempted: a rebalance or the end came first
  };
  Action action = Action::kDone;
  Reason reason = Reason::kNone;
  int status = 0;  // HTTP; 0: there was no answer
  std::string detail =
      {};  // for people, logs and the dead letter: the app's `reason`, or what happened
  std::optional<base::Duration> wait = {};  // Retry-After or `delay`, in [0, kLongestWait]
  bool unknown_word = false;  // a 2xx with a `status` that is none of ours; `detail` quotes it

  // Nothing of the event or its URL can be read: no try will change that.
  bool hopeless() const { return reason == Reason::kUndecodable && action == Action::kDeadLetter; }

  bool operator==(const Verdict&) const = default;
};

// The verdict on an answer; `now` is for HTTP dates. Of a 2xx only the four words, in any case, in
// the `status` of a JSON object decide, whatever the content type; any other body is done. A body
// that says that it is JSON and can't be read (cut, encoded, damaged) is a failed attempt, for the
// word that may have been in it.
Verdict ReadVerdict(event::JsonReader& json, const http::Answer& answer, base::WallTime now);

// The verdict on a call that has no answer.
Verdict VerdictOn(const http::CallError& error);

// For a record that never became a call. `detail` says what is wrong with it.
Verdict Undecodable(std::string detail);

// The wait that a Retry-After field asks for, whole seconds or an HTTP date in any of the three
// forms; bounded. nullopt: it is neither.
std::optional<base::Duration> ReadRetryAfter(std::string_view value, base::WallTime now);

}  // namespace outrigger::deliver
