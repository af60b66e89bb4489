#include "base/loop.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <functional>
#include <optional>
#include <stdexcept>
#include <vector>

#include "base/wakeup.h"

namespace outrigger::base {
namespace {

using std::chrono::milliseconds;

TEST(Loop, AStoppedLoopThatHadNothingElseToDoRunsAgain) {
  Loop loop(ManualClock().clock());
  int calls = 0;
  for (int n = 0; n < 3; ++n) {
    loop.Post([&] {
      ++calls;
      loop.Stop();
    });
    loop.Run();
  }
  EXPECT_EQ(calls, 3);
}

TEST(Loop, FiresTimersInTheOrderOfTheirTimeNotOfTheirMaking) {
  ManualClock clock;
  Loop loop(clock.clock());
  std::vector<int> fired;
  Timer late = loop.After(milliseconds(20), [&] { fired.push_back(20); });
  Timer early = loop.After(milliseconds(10), [&] { fired.push_back(10); });
  loop.Advance(clock, milliseconds(9));
  EXPECT_TRUE(fired.empty());
  loop.Advance(clock, milliseconds(11));
  EXPECT_EQ(fired, (std::vector<int>{10, 20}));
  EXPECT_FALSE(late.armed());
}

TEST(Loop, ATimerOfATimerFiresAtItsOwnTime) {
  ManualClock clock;
  Loop loop(clock.clock());
  const TimePoint start = loop.Now();
  TimePoint second{};
  Timer inner;
  Timer outer = loop.After(milliseconds(10), [&] {
    inner = loop.After(milliseconds(10), [&] { second = loop.Now(); });
  });
  loop.Advance(clock, milliseconds(100));
  EXPECT_EQ(second - start, milliseconds(20));
}

TEST(Loop, WhatAFiredCallArmsIsForTheNextTurn) {
  ManualClock clock;
  Loop loop(clock.clock());
  int fired = 0;
  Timer timer;
  std::function<void()> again = [&] {
    if (++fired < 3) timer = loop.After(milliseconds(0), again);
  };
  timer = loop.After(milliseconds(0), again);
  loop.RunReady();
  EXPECT_EQ(fired, 1);
  loop.Advance(clock, milliseconds(0));
  EXPECT_EQ(fired, 3);
}

TEST(Loop, ADestroyedTimerNeverFires) {
  ManualClock clock;
  Loop loop(clock.clock());
  bool fired = false;
  {
    Timer gone = loop.After(milliseconds(1), [&] { fired = true; });
  }
  loop.Advance(clock, milliseconds(10));
  EXPECT_FALSE(fired);
}

TEST(Loop, ACancelledTimerIsGoneAtOnceWithAllThatItsCallHolds) {
  ManualClock clock;
  Loop loop(clock.clock());
  const auto held = std::make_shared<int>(0);
  const Timer earlier = loop.After(milliseconds(1), [] {});
  Timer cancelled = loop.After(std::chrono::hours(1), [held] {});
  Timer replaced = loop.After(std::chrono::hours(1), [held] {});
  {
    const Timer destroyed = loop.After(std::chrono::hours(1), [held] {});
  }
  cancelled.Cancel();
  replaced = loop.After(milliseconds(2), [] {});
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_FALSE(cancelled.armed());
  EXPECT_TRUE(replaced.armed());
}

TEST(Loop, ACallMayCancelItsOwnTimerAndOthersAlsoByItsEnd) {
  ManualClock clock;
  Loop loop(clock.clock());
  int fired = 0;
  std::optional<Timer> own;
  auto other = std::make_shared<Timer>(loop.After(milliseconds(2), [&] { fired += 10; }));
  own = loop.After(milliseconds(1), [&fired, &own, other = std::exchange(other, nullptr)] {
    ++fired;
    own.reset();
    EXPECT_TRUE(other->armed());
  });
  loop.Advance(clock, milliseconds(5));
  EXPECT_EQ(fired, 1);
}

TEST(Loop, ATimerThatOutlivesItsLoopIsInert) {
  Timer late;
  {
    Loop loop(ManualClock().clock());
    // One that is owned by a call of the loop, too.
    auto owned = std::make_shared<Timer>(loop.After(std::chrono::hours(1), [] {}));
    loop.Post([owned = std::move(owned)] {});
    late = loop.After(std::chrono::hours(1), [] {});
  }
  EXPECT_FALSE(late.armed());
  late.Cancel();
}

TEST(Loop, WhatAHandlerThrowsLeavesTheLoopAndNoOtherHandlerRuns) {
  ManualClock clock;
  Loop loop(clock.clock());
  bool next = false;
  loop.Post([] { throw std::runtime_error("broken"); });
  loop.Post([&] { next = true; });
  EXPECT_THROW(loop.RunReady(), std::runtime_error);
  EXPECT_FALSE(next);
  const Timer timer = loop.After(milliseconds(1), [] { throw std::logic_error("timer"); });
  EXPECT_THROW(loop.Advance(clock, milliseconds(1)), std::logic_error);
}

TEST(Loop, AReadableDescriptorIsReportedUntilTheWatchIsGone) {
  ManualClock clock;
  Loop loop(clock.clock());
  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);
  int reads = 0;
  auto watch = loop.WatchReadable(pipe_ends[0], [&] {
    char byte;
    reads += static_cast<int>(read(pipe_ends[0], &byte, 1));
  });
  ASSERT_EQ(write(pipe_ends[1], "a", 1), 1);
  loop.RunReady();
  EXPECT_EQ(reads, 1);
  watch.reset();
  ASSERT_EQ(write(pipe_ends[1], "b", 1), 1);
  loop.RunReady();
  EXPECT_EQ(reads, 1);
  // The descriptor stayed the caller's: it is open still.
  EXPECT_EQ(close(pipe_ends[0]), 0);
  close(pipe_ends[1]);
}

TEST(Wakeup, WritesBeforeTheLoopGetsThereAreOneCallAndEachLaterOneIsAnother) {
  Loop loop(ManualClock().clock());
  int calls = 0;
  Wakeup wakeup(loop, [&] { ++calls; });
  const uint64_t one = 1;
  for (int n = 0; n < 3; ++n) ASSERT_EQ(write(wakeup.descriptor(), &one, sizeof one), 8);
  loop.RunReady();
  EXPECT_EQ(calls, 1);
  ASSERT_EQ(write(wakeup.descriptor(), &one, sizeof one), 8);
  loop.RunReady();
  EXPECT_EQ(calls, 2);
}

TEST(Wakeup, NoCallComesAfterStop) {
  Loop loop(ManualClock().clock());
  int calls = 0;
  Wakeup wakeup(loop, [&] { ++calls; });
  const uint64_t one = 1;
  ASSERT_EQ(write(wakeup.descriptor(), &one, sizeof one), 8);
  wakeup.Stop();
  loop.RunReady();
  EXPECT_EQ(calls, 0);
  EXPECT_TRUE(wakeup.stopped());
}

}  // namespace
}  // namespace outrigger::base
