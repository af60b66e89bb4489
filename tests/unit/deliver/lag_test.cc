#include "deliver/lag.h"

#include <gtest/gtest.h>

namespace outrigger::deliver {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct LagTest : testing::Test {
  // At `at` seconds the partition has `lag` events more than are settled, the first of them `next`.
  double Seconds(int at, int64_t lag, int64_t next, std::optional<Held> held = {}) {
    return lag_.Seconds(lag, next, held, base::TimePoint(seconds(1000 + at)),
                        base::WallTime(kWall + seconds(at)));
  }
  static Held Record(int64_t stamp_s, int fetched) {
    return {stamp_s < 0 ? -1 : (kWall.count() + stamp_s) * 1000,
            base::TimePoint(seconds(1000 + fetched))};
  }
  static constexpr seconds kWall{1'800'000'000};  // 2027
  LagAge lag_;
};

TEST_F(LagTest, WithoutLagThereIsNoAge) {
  EXPECT_EQ(Seconds(0, 0, 5), 0);
  EXPECT_EQ(Seconds(60, 0, 5), 0);
  EXPECT_EQ(Seconds(61, 0, 5, Record(0, 0)), 0);
}

TEST_F(LagTest, TheOldestRecordsOwnTimeIsTheAge) {
  EXPECT_EQ(Seconds(60, 1, 5, Record(10, 59)), 50);
  EXPECT_EQ(Seconds(61, 1, 5, Record(70, 59)), 2) << "a producer's clock that goes ahead";
  EXPECT_EQ(Seconds(62, 1, 5, Record(-1, 42)), 20) << "without a time: since it was fetched";
}

TEST_F(LagTest, ATimestampThatIsNoTimeInMillisecondsIsNotTheAge) {
  const int64_t now = kWall.count();
  for (const int64_t stamp :
       {int64_t{-5}, int64_t{0}, int64_t{1}, now,     // in seconds
        now * 1'000'000, now * 1'000'000'000,         // in microseconds, in nanoseconds
        int64_t{253'402'300'800'000},                 // the year 10000
        INT64_MAX / 1'000'000, INT64_MAX, INT64_MIN,  // what a multiplication overflows
        (now + 61) * 1000}) {
    const Held held{stamp, base::TimePoint(seconds(1018))};
    EXPECT_EQ(Seconds(60, 1, 5, held), 42) << stamp;
  }
}

TEST_F(LagTest, WithNoRecordInHandItIsTheTimeThatNothingWentOn) {
  EXPECT_EQ(Seconds(0, 0, 5), 0);
  EXPECT_EQ(Seconds(10, 3, 5), 0);
  EXPECT_EQ(Seconds(40, 3, 5), 30);
  EXPECT_EQ(Seconds(70, 900, 5), 60) << "what comes behind is not older";
  EXPECT_EQ(Seconds(71, 0, 905), 0);
  EXPECT_EQ(Seconds(80, 1, 905), 0) << "another lag";
  EXPECT_EQ(Seconds(82, 1, 905), 2);
}

TEST_F(LagTest, LagFromTheStartIsSeenFromTheStart) {
  EXPECT_EQ(Seconds(0, 7, 0), 0);
  EXPECT_EQ(Seconds(30, 7, 0), 30);
}

TEST_F(LagTest, AStreamThatGoesOnIsNoStandstillThoughItsLagNeverEnds) {
  for (int second = 0; second < 600; ++second) EXPECT_LE(Seconds(second, 50, second * 100), 1);
}

TEST_F(LagTest, ARecordThatGoesOutOfHandTakesNoAgeAlong) {
  EXPECT_EQ(Seconds(0, 1, 5), 0);
  EXPECT_EQ(Seconds(50, 1, 5, Record(49, 50)), 1);
  EXPECT_EQ(Seconds(55, 9, 6), 0);
  EXPECT_EQ(Seconds(65, 9, 6), 10);
}

}  // namespace
}  // namespace outrigger::deliver
