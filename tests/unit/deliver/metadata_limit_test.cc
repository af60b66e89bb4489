#include "deliver/metadata_limit.h"

#include <gtest/gtest.h>

namespace outrigger::deliver {
namespace {

using std::chrono::minutes;

TEST(MetadataLimit, IsHalvedUntilWhatIsLeftIsTakenAndEndsWithNothing) {
  const base::TimePoint now(minutes(100));
  MetadataLimit limit;
  EXPECT_EQ(limit.bytes(now), kMetadataMax);
  EXPECT_FALSE(limit.reduced(now));
  size_t size = 3000;
  int refusals = 0;
  while (size > 40) {
    ASSERT_TRUE(limit.Refused(size, now));
    EXPECT_LT(limit.bytes(now), size);
    size = limit.bytes(now);
    ++refusals;
  }
  EXPECT_GT(size, 20u) << "as much as fits is kept";
  EXPECT_LE(refusals, 8);
  EXPECT_TRUE(limit.Refused(12, now));
  EXPECT_EQ(limit.bytes(now), 0u);
}

TEST(MetadataLimit, ARefusalOfALargerOneBesideItDoesNotRaiseIt) {
  const base::TimePoint now(minutes(100));
  MetadataLimit limit;
  limit.Refused(100, now);
  limit.Refused(2000, now);
  EXPECT_EQ(limit.bytes(now), 50u);
}

TEST(MetadataLimit, WithNothingToLeaveOutItSaysSo) {
  MetadataLimit limit;
  EXPECT_FALSE(limit.Refused(0, base::TimePoint(minutes(100))));
  EXPECT_FALSE(limit.reduced(base::TimePoint(minutes(100))));
}

TEST(MetadataLimit, AllOfItIsTriedAgainAfterAWhile) {
  const base::TimePoint now(minutes(100));
  MetadataLimit limit;
  limit.Refused(100, now);
  EXPECT_TRUE(limit.reduced(now + minutes(9)));
  EXPECT_FALSE(limit.reduced(now + minutes(10)));
  EXPECT_TRUE(limit.Refused(100, now + minutes(10)));
  EXPECT_EQ(limit.bytes(now + minutes(10)), 50u);
}

}  // namespace
}  // namespace outrigger::deliver
