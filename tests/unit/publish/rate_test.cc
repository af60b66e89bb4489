#include "publish/rate.h"

#include <gtest/gtest.h>

namespace outrigger::publish {
namespace {

using std::chrono::milliseconds;

TEST(Rate, WithoutALimitEverythingPasses) {
  Rate rate;
  rate.Set(std::nullopt, base::TimePoint{});
  for (int i = 0; i < 100'000; ++i) ASSERT_TRUE(rate.Take(1, base::TimePoint{}));
}

TEST(Rate, PassesTheBurstThenSoManyEventsASecond) {
  Rate rate;
  base::TimePoint now{};
  rate.Set(config::Rate{100, 5}, now);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(rate.Take(1, now));
  EXPECT_FALSE(rate.Take(1, now));
  EXPECT_EQ(rate.Wait(now), milliseconds(10));
  now += milliseconds(10);
  EXPECT_TRUE(rate.Take(1, now));
  EXPECT_FALSE(rate.Take(1, now));
}

TEST(Rate, ABatchIsTakenWholeAndItsDebtDelaysTheNextEvent) {
  Rate rate;
  base::TimePoint now{};
  rate.Set(config::Rate{100, 10}, now);
  EXPECT_TRUE(rate.Take(110, now));
  EXPECT_FALSE(rate.Take(1, now + milliseconds(1000)));
  EXPECT_TRUE(rate.Take(1, now + milliseconds(1011)));
}

}  // namespace
}  // namespace outrigger::publish
