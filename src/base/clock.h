// Time as two functions, so that tests can set it.
//
// Thread: a system clock may be used from any thread, a ManualClock only from its test's thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace outrigger::base {

using Duration = std::chrono::nanoseconds;
using TimePoint = std::chrono::steady_clock::time_point;  // monotonic: timers, time-outs, ages
using WallTime = std::chrono::system_clock::time_point;   // what people and records read

struct Clock {
  std::function<TimePoint()> now;
  std::function<WallTime()> wall;
  bool manual = false;  // time passes only when a test says so

  static Clock System();
};

// A clock that moves only when it is advanced. Loop::Advance moves it and runs the timers that came
// due.
class ManualClock {
 public:
  ManualClock();

  Clock clock() const;
  void Advance(Duration by);

 private:
  struct Hands {
    TimePoint now;
    WallTime wall;
  };
  std::shared_ptr<Hands> hands_;
};

// RFC 3339 in UTC with milliseconds: 2026-11-23T20:15:30.123Z.
std::string Rfc3339(WallTime time);

// Of a time as Kafka has it, in milliseconds since 1970; empty for one that RFC 3339 can't write:
// before 1970 (Kafka's "none" too), or of a year beyond 9999.
std::string Rfc3339OfMillis(int64_t since);

}  // namespace outrigger::base
