// Until when a connection waits for its client, and for what.
//
// Pure: the caller says what time it is, by AwakeTime. Thread: any one.
#pragma once

#include <optional>

#include "base/clock.h"
#include "http/limits.h"
#include "http/refusal.h"

namespace outrigger::http {

class Deadline {
 public:
  enum class Wait {
    kNone,    // for nothing that the client does
    kIdle,    // for a request
    kHead,    // for the rest of a head
    kBody,    // for the rest of a body
    kWrite,   // for an answer to be read
    kLinger,  // for the end, after the last answer
  };
  // A connection that waits for the rest of a head, or whose answer is not read, may be closed for
  // another after this time.
  static constexpr std::chrono::seconds kPatience{1};
  // How long an idle connection is kept in a drain: its client may be sending a request.
  static constexpr std::chrono::seconds kDrainIdle{1};
  // How long is read after the last answer, for a client that is still sending.
  static constexpr std::chrono::seconds kLingerTime{2};

  Wait wait() const { return wait_; }
  void Set(Wait wait, const Limits& limits, base::TimePoint now);
  void Clear() { wait_ = Wait::kNone; }
  // In a drain: what is idle has at most kDrainIdle, from when it became so.
  void ShortenForDrain();

  bool Passed(base::TimePoint now) const { return wait_ != Wait::kNone && now >= deadline_; }
  // What a client is told that has let it pass; nothing: it waits for no answer.
  std::optional<Refusal> TooLate() const;
  // Since when it waits, if that is no reason to keep the connection. An idle one has to be silent,
  // too, which only its socket knows.
  std::optional<base::TimePoint> GivesWaySince(base::TimePoint now) const;

 private:
  Wait wait_ = Wait::kNone;
  base::TimePoint since_;
  base::TimePoint deadline_;
};

}  // namespace outrigger::http
