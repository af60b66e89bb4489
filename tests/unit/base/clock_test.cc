#include "base/clock.h"

#include <gtest/gtest.h>

namespace outrigger::base {
namespace {

TEST(Rfc3339, ATimeIsWrittenToTheMillisecondInUtc) {
  EXPECT_EQ(Rfc3339OfMillis(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(Rfc3339OfMillis(1'700'000'000'007), "2023-11-14T22:13:20.007Z");
  EXPECT_EQ(Rfc3339OfMillis(951'782'400'000 - 1), "2000-02-28T23:59:59.999Z");
  EXPECT_EQ(Rfc3339OfMillis(951'782'400'000), "2000-02-29T00:00:00.000Z");
  EXPECT_EQ(Rfc3339OfMillis(253'402'300'799'999), "9999-12-31T23:59:59.999Z");
}

TEST(Rfc3339, AYearThatHasNotFourDigitsIsNotWritten) {
  EXPECT_EQ(Rfc3339OfMillis(-1), "");
  EXPECT_EQ(Rfc3339OfMillis(253'402'300'800'000), "");
}

TEST(Rfc3339, ATimeOfTheClockIsCutToTheMillisecond) {
  EXPECT_EQ(Rfc3339(WallTime(std::chrono::microseconds(1'999))), "1970-01-01T00:00:00.001Z");
}

}  // namespace
}  // namespace outrigger::base
