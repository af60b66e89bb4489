#include "deliver/retry.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace outrigger::deliver {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// The largest remainder that `most` leaves.
Random Top(base::Duration most) {
  return [most] { return static_cast<uint64_t>(most.count()); };
}
const Random kZero = [] { return uint64_t{0}; };

TEST(Retry, TheBoundDoublesUpToMax) {
  RetryPolicy policy{20, milliseconds(200), seconds(30), {}};
  base::Duration bound = milliseconds(200);
  for (uint32_t tried = 1; tried < 19; ++tried) {
    EXPECT_EQ(NextWait(policy, tried, {}, Top(bound)), bound) << tried;
    EXPECT_EQ(NextWait(policy, tried, {}, kZero), seconds(0)) << tried;
    bound = std::min<base::Duration>(bound * 2, seconds(30));
  }
}

TEST(Retry, TheWaitIsSpreadOverTheWholeBound) {
  std::mt19937_64 generator(1);
  const Random random = [&] { return generator(); };
  const RetryPolicy policy{9, seconds(1), seconds(30), {}};
  base::Duration least = hours(1), most{0};
  for (int i = 0; i < 1000; ++i) {
    const auto wait = *NextWait(policy, 3, {}, random);
    least = std::min(least, wait);
    most = std::max(most, wait);
  }
  EXPECT_LT(least, milliseconds(100));
  EXPECT_GT(most, milliseconds(3900));
  EXPECT_LE(most, seconds(4));
}

TEST(Retry, AfterTheLastAttemptThereIsNone) {
  const RetryPolicy policy{5, milliseconds(200), seconds(30), {}};
  EXPECT_TRUE(NextWait(policy, 4, {}, kZero).has_value());
  EXPECT_EQ(NextWait(policy, 5, {}, kZero), std::nullopt);
  EXPECT_EQ(NextWait(policy, 4000000000U, {}, kZero), std::nullopt);
}

TEST(Retry, DelaysComeAfterTheAttempts) {
  const RetryPolicy policy{
      2, milliseconds(200), seconds(30), {seconds(5), minutes(1), minutes(10)}};
  EXPECT_LE(NextWait(policy, 1, {}, Top(milliseconds(200))), milliseconds(200));
  EXPECT_EQ(NextWait(policy, 2, {}, kZero), seconds(5));
  EXPECT_EQ(NextWait(policy, 3, {}, kZero), minutes(1));
  EXPECT_EQ(NextWait(policy, 4, {}, kZero), minutes(10));
  EXPECT_EQ(NextWait(policy, 5, {}, kZero), std::nullopt);
}

TEST(Retry, WhatTheAppAsksForIsALowerBound) {
  const RetryPolicy policy{5, milliseconds(200), seconds(30), {}};
  EXPECT_EQ(NextWait(policy, 1, seconds(7), Top(milliseconds(200))), seconds(7));
  EXPECT_EQ(NextWait(policy, 1, milliseconds(1), Top(milliseconds(200))), milliseconds(200));
  EXPECT_EQ(NextWait(policy, 1, minutes(10), kZero), minutes(10)) << "above `max` too";
}

TEST(Retry, NoWaitIsLongerThanAnHour) {
  const RetryPolicy policy{2, hours(50), hours(100), {hours(24)}};
  EXPECT_LE(NextWait(policy, 1, {}, Top(hours(1))), hours(1));
  EXPECT_EQ(NextWait(policy, 1, hours(5), kZero), hours(1));
  EXPECT_EQ(NextWait(policy, 2, {}, kZero), hours(1));
}

TEST(Retry, OddPoliciesStayInRange) {
  const RetryPolicy zero{5, seconds(0), seconds(0), {}};
  EXPECT_EQ(NextWait(zero, 4, {}, Top(hours(1))), seconds(0));
  const RetryPolicy upside_down{4000000000U, seconds(30), seconds(1), {}};
  EXPECT_LE(NextWait(upside_down, 3999999999U, {}, Top(seconds(30))), seconds(1));
}

TEST(Retry, AnEventWithoutADeadLetterTopicIsTriedAtMax) {
  const RetryPolicy policy{5, milliseconds(200), seconds(30), {}};
  EXPECT_EQ(StuckWait(policy, {}, kZero), seconds(15));
  EXPECT_EQ(StuckWait(policy, {}, Top(seconds(15))), seconds(30));
  EXPECT_EQ(StuckWait(policy, minutes(2), kZero), minutes(2));
}

}  // namespace
}  // namespace outrigger::deliver
