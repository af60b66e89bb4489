// One event loop: the thread that a flow lives on. Sockets, timers, descriptors and posted calls
// all run inside Run(), one at a time, so that a flow needs no lock.
//
// Thread: Post, Call and Stop may be called from any thread; everything else only on the loop's own
// thread (or before Run). Lifetime: a Loop outlives every Watch made by it; a Timer that outlives
// it is inert.
//
// An exception of a handler leaves Run() and RunReady(): a half-changed flow must not continue.
//
// Time comes from a Clock. With a ManualClock the loop never waits for real time: RunReady() runs
// what is ready now, and Advance() moves the clock and fires the timers that came due, in order.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <thread>

#include "base/awake_time.h"
#include "base/clock.h"

namespace outrigger::base {

// A timer that fires once. Destroying or resetting it cancels, and a cancelled timer's call is gone
// at once with all it holds; a fired timer is inert.
class Timer {
 public:
  struct Entry;  // owned by the loop

  Timer() = default;
  explicit Timer(std::shared_ptr<Entry> entry) : entry_(std::move(entry)) {}
  Timer(Timer&& other) noexcept = default;
  Timer& operator=(Timer&& other) noexcept {
    Cancel();
    entry_ = std::move(other.entry_);
    return *this;
  }
  ~Timer() { Cancel(); }

  void Cancel();
  bool armed() const;

 private:
  std::shared_ptr<Entry> entry_;
};

class Loop {
 public:
  explicit Loop(Clock clock = Clock::System());
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop();

  // Runs until Stop(), which may come first; may be called again. RunReady runs what can run
  // without waiting and returns how many handlers ran.
  void Run();
  size_t RunReady();
  void Stop();
  // Run() on a thread of its own; `name` (at most 15 bytes) is shown by top -H and in core files.
  std::thread RunOnThread(const char* name);

  void Post(std::function<void()> call);
  // Runs `call` on the loop's thread and waits for it; what it throws is thrown here. From another
  // thread than the loop's, while the loop runs.
  void Call(const std::function<void()>& call);
  [[nodiscard]] Timer After(Duration delay, std::function<void()> call);

  // Calls `on_readable` each time `descriptor` becomes readable (edge: drain it until it would
  // block). The descriptor stays the caller's. Destroying the Watch ends it; no call comes after
  // that.
  class Watch;
  [[nodiscard]] std::unique_ptr<Watch> WatchReadable(int descriptor,
                                                     std::function<void()> on_readable);

  TimePoint Now() const { return clock_.now(); }
  // For deadlines of what others send; see AwakeTime.
  TimePoint AwakeNow() { return AwakeAt(Now()); }
  TimePoint AwakeAt(TimePoint now) { return awake_.At(now); }  // for who has just asked for Now()
  WallTime Wall() const { return clock_.wall(); }
  const Clock& clock() const { return clock_; }

  // For loops with a ManualClock: moves it by `by` in steps from timer to timer, running what comes
  // due.
  void Advance(ManualClock& clock, Duration by);

  // For rooms that use sockets (http).
  boost::asio::io_context& context() { return context_; }

 private:
  friend class Timer;
  struct Timers;

  void FireDue();
  void Arm();

  Clock clock_;
  AwakeTime awake_;
  boost::asio::io_context context_{1};
  std::unique_ptr<Timers> timers_;
  std::atomic<bool> stopped_{false};
};

class Loop::Watch {
 public:
  Watch(Loop& loop, int descriptor, std::function<void()> on_readable);
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace outrigger::base
