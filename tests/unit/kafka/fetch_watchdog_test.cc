#include "kafka/fetch_watchdog.h"

#include <gtest/gtest.h>

namespace outrigger::kafka {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using Seen = FetchWatchdog::Seen;

struct FetchWatchdogTest : testing::Test {
  static base::TimePoint At(int second) { return base::TimePoint(seconds(1000 + second)); }
  Seen Partition(int64_t position, int64_t end, uint64_t epoch = 1) const {
    return {{"orders", 2}, epoch, position, end};
  }
  bool Stalls(int second) const { return !watchdog_.stalled(At(second)).empty(); }

  FetchWatchdog watchdog_{{seconds(15), seconds(30), minutes(10)}};
};

TEST_F(FetchWatchdogTest, APartitionThatDoesNotMoveThoughKafkaHasMoreIsNamedWithItsOffsets) {
  watchdog_.Look({Partition(120, 500)}, At(0));
  watchdog_.Look({Partition(120, 520)}, At(14));
  EXPECT_FALSE(Stalls(14));
  watchdog_.Look({Partition(120, 530)}, At(15));
  const auto stalled = watchdog_.stalled(At(15));
  ASSERT_EQ(stalled.size(), 1u);
  EXPECT_EQ(stalled[0].seen.at.text(), "orders/2");
  EXPECT_EQ(stalled[0].seen.position, 120);
  EXPECT_EQ(stalled[0].seen.end, 530);
  EXPECT_EQ(stalled[0].since, seconds(15));
}

TEST_F(FetchWatchdogTest, APartitionThatMovesOrIsAtItsEndIsWell) {
  for (int second = 0; second < 600; second += 3) {
    watchdog_.Look({Partition(second, 10'000)}, At(second));
    EXPECT_FALSE(Stalls(second));
  }
  for (int second = 600; second < 1200; second += 3) {
    watchdog_.Look({Partition(10'000, 10'000)}, At(second));
    EXPECT_FALSE(Stalls(second));
  }
}

TEST_F(FetchWatchdogTest, AnEndBehindThePositionIsNoProgressEitherTheTopicIsAnother) {
  watchdog_.Look({Partition(120, 7)}, At(0));
  watchdog_.Look({Partition(120, 7)}, At(15));
  EXPECT_TRUE(Stalls(15));
}

TEST_F(FetchWatchdogTest, AnEmptyPartitionOfWhichNothingIsKnownIsWell) {
  watchdog_.Look({Partition(-1, 0)}, At(0));
  EXPECT_FALSE(Stalls(100));
  watchdog_.Look({Partition(-1, 3)}, At(100));
  EXPECT_TRUE(Stalls(115));
}

TEST_F(FetchWatchdogTest, AtRestForAMomentOrUnderANewAssignmentItStartsOver) {
  watchdog_.Look({Partition(120, 500)}, At(0));
  watchdog_.Look({}, At(10));  // paused, or a rebalance
  watchdog_.Look({Partition(120, 500)}, At(14));
  EXPECT_FALSE(Stalls(20));
  watchdog_.Look({Partition(120, 500, 2)}, At(25));
  EXPECT_FALSE(Stalls(32));
  EXPECT_TRUE(Stalls(40));
}

TEST_F(FetchWatchdogTest, EachNewClientThatDoesNotHelpDoublesThePatienceUpToTheLongest) {
  int second = 0;
  for (const int patience : {15, 30, 60, 120, 240, 480, 600, 600}) {
    watchdog_.Look({Partition(120, 500)}, At(second));
    EXPECT_FALSE(Stalls(second + patience - 1));
    EXPECT_TRUE(Stalls(second + patience)) << patience;
    watchdog_.Renewed(0, At(second + patience));
    EXPECT_FALSE(Stalls(second + patience));
    watchdog_.Look({}, At(second + patience));  // not assigned again yet
    second += patience + 5;
  }
}

TEST_F(FetchWatchdogTest, WhatMovesAfterANewClientHasThePatienceOfTheFirstTimeAgain) {
  watchdog_.Look({Partition(120, 500)}, At(0));
  watchdog_.Renewed(0, At(15));
  EXPECT_TRUE(watchdog_.stands_still("orders/2", At(16)));
  watchdog_.Look({Partition(120, 500, 2)}, At(20));
  EXPECT_TRUE(watchdog_.stands_still("orders/2", At(20)));
  watchdog_.Look({Partition(500, 500, 2)}, At(23));
  EXPECT_FALSE(watchdog_.stands_still("orders/2", At(23)));
  watchdog_.Look({Partition(500, 501, 2)}, At(30));
  EXPECT_TRUE(Stalls(45));
}

TEST_F(FetchWatchdogTest, ASuspectThatIsAnotherMembersNowIsForgotten) {
  watchdog_.Look({Partition(120, 500)}, At(0));
  watchdog_.Renewed(0, At(15));
  watchdog_.Look({{{"orders", 3}, 2, 9, 9}}, At(20));
  EXPECT_FALSE(watchdog_.stands_still("orders/2", At(20)));
}

TEST_F(FetchWatchdogTest, AGroupThatDoesNotTakeUsInIsNoticedUnlessSomethingIsKnownAgainstIt) {
  watchdog_.LookAtGroup(true, At(0));
  EXPECT_FALSE(watchdog_.not_joined(At(29)));
  EXPECT_EQ(watchdog_.not_joined(At(30)), seconds(30));
  watchdog_.LookAtGroup(false, At(31));
  watchdog_.LookAtGroup(true, At(32));
  EXPECT_FALSE(watchdog_.not_joined(At(61)));
  watchdog_.Renewed(0, At(62));
  watchdog_.LookAtGroup(true, At(62));
  EXPECT_FALSE(watchdog_.not_joined(At(62 + 59)));
  EXPECT_TRUE(watchdog_.not_joined(At(62 + 60)));
}

TEST_F(FetchWatchdogTest, JitterLengthensThePatienceByAQuarterAtMost) {
  watchdog_.Look({Partition(120, 500)}, At(0));
  watchdog_.Renewed(1, At(15));
  watchdog_.Look({Partition(120, 500, 2)}, At(20));
  EXPECT_FALSE(Stalls(20 + 37));
  EXPECT_TRUE(Stalls(20 + 38));
}

}  // namespace
}  // namespace outrigger::kafka
