#include "base/awake_time.h"

#include <gtest/gtest.h>

namespace outrigger::base {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class AwakeTimeTest : public testing::Test {
 protected:
  // Time passes, and is asked for every `step`; returns by how much it got on.
  Duration Pass(Duration by, Duration step) {
    const TimePoint before = time_.At(now_);
    for (const TimePoint end = now_ + by; now_ < end;) time_.At(now_ += std::min(step, end - now_));
    return time_.At(now_) - before;
  }

  TimePoint now_{std::chrono::hours(1)};
  AwakeTime time_;
};

TEST_F(AwakeTimeTest, IsTheClocksWhileTheLoopRuns) {
  for (const auto step : {milliseconds(1), milliseconds(7), milliseconds(100), milliseconds(150)})
    EXPECT_EQ(Pass(seconds(10), step), seconds(10)) << step.count();
}

TEST_F(AwakeTimeTest, StopsInAPauseAndForAMomentAfter) {
  Pass(seconds(1), milliseconds(100));
  EXPECT_EQ(Pass(seconds(60), seconds(60)), seconds(0));
  EXPECT_EQ(Pass(AwakeTime::kGrace, milliseconds(10)), seconds(0));
  EXPECT_EQ(Pass(seconds(1), milliseconds(10)), seconds(1));
}

TEST_F(AwakeTimeTest, APauseInTheMomentAfterOneIsOneToo) {
  Pass(seconds(1), milliseconds(100));
  Pass(seconds(60), seconds(60));
  Pass(milliseconds(50), milliseconds(10));
  EXPECT_LE(Pass(seconds(60), seconds(60)), AwakeTime::kPause);
}

TEST_F(AwakeTimeTest, MakesProgressWhereTheLoopIsAlwaysLate) {
  const Duration passed = Pass(seconds(100), milliseconds(400));
  EXPECT_GE(passed, seconds(10));
  EXPECT_LE(passed, seconds(20));
}

}  // namespace
}  // namespace outrigger::base
