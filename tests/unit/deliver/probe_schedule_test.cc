#include "deliver/probe_schedule.h"

#include <gtest/gtest.h>

namespace outrigger::deliver {
namespace {

using std::chrono::seconds;

constexpr uint64_t kFailed = 1, kFresh = 2;

class ProbeScheduleTest : public testing::Test {
 protected:
  ProbeScheduleTest() {
    schedule_.Start(now_);
    schedule_.Failed(kFailed);
  }
  // Moves on to when the key is due; how long that took.
  base::Duration WaitFor(uint64_t key) {
    const auto before = now_;
    while (!schedule_.IsDue(key, now_)) now_ = schedule_.Next(now_).value();
    return now_ - before;
  }

  ProbeSchedule schedule_{seconds(1), seconds(30)};
  base::TimePoint now_{seconds(1000)};
};

TEST_F(ProbeScheduleTest, AKeyThatFailedWaitsLongerAndLonger) {
  for (const int wait : {1, 2, 4, 8, 16, 30, 30}) {
    EXPECT_EQ(WaitFor(kFailed), seconds(wait));
    schedule_.OnProbe(kFailed, now_);
  }
}

TEST_F(ProbeScheduleTest, AKeyThatHasNotFailedDoesNotWaitForThoseThatHave) {
  for (int probe = 0; probe < 6; ++probe) {
    WaitFor(kFailed);
    schedule_.OnProbe(kFailed, now_);
  }
  EXPECT_EQ(WaitFor(kFresh), seconds(1));
  EXPECT_FALSE(schedule_.IsDue(kFailed, now_));
}

TEST_F(ProbeScheduleTest, KeysThatHaveNotFailedGoOneEachInterval) {
  for (uint64_t key = 100; key < 150; ++key) {
    EXPECT_FALSE(schedule_.HasFailed(key));
    EXPECT_EQ(WaitFor(key), seconds(1));
    schedule_.OnProbe(key, now_);
    EXPECT_TRUE(schedule_.HasFailed(key));
  }
}

TEST_F(ProbeScheduleTest, WhatTheAppAsksForHoldsForAllAndUpToTheMostForKeysThatHaveNotFailed) {
  schedule_.Ask(seconds(5), now_);
  EXPECT_EQ(WaitFor(kFresh), seconds(5));
  EXPECT_TRUE(schedule_.IsDue(kFailed, now_));
  schedule_.Ask(seconds(600), now_);
  EXPECT_EQ(WaitFor(kFresh), seconds(30));
  EXPECT_EQ(WaitFor(kFailed), seconds(570));
  EXPECT_EQ(schedule_.Next(now_), std::nullopt);
}

TEST_F(ProbeScheduleTest, AShorterWishDoesNotShortenTheWait) {
  for (int probe = 0; probe < 6; ++probe) {
    WaitFor(kFailed);
    schedule_.OnProbe(kFailed, now_);
  }
  schedule_.Ask(seconds(2), now_);
  EXPECT_EQ(WaitFor(kFailed), seconds(30));
}

TEST_F(ProbeScheduleTest, TooManyKeysCountAsFailed) {
  for (uint64_t key = 0; key < 5000; ++key) schedule_.Failed(key);
  EXPECT_TRUE(schedule_.HasFailed(1'000'000));
  schedule_.Start(now_);
  EXPECT_FALSE(schedule_.HasFailed(1'000'000));
}

}  // namespace
}  // namespace outrigger::deliver
