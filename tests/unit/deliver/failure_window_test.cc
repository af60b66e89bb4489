#include "deliver/failure_window.h"

#include <gtest/gtest.h>

namespace outrigger::deliver {
namespace {

using std::chrono::seconds;

class FailureWindowTest : public testing::Test {
 protected:
  void Fail(uint64_t id, uint64_t key, bool counts = true, bool rejected = false) {
    failures_.Add({id, key, now_, counts, rejected});
  }

  FailureWindow failures_{{20, 5, seconds(30)}};
  base::TimePoint now_{seconds(1000)};
};

TEST_F(FailureWindowTest, TwentyOverFiveKeysSayThatTheAppIsDegraded) {
  for (uint64_t n = 0; n < 19; ++n) Fail(n, n % 5);
  EXPECT_FALSE(failures_.Degraded());
  Fail(19, 4);
  EXPECT_TRUE(failures_.Degraded());
  failures_.Clear();
  EXPECT_FALSE(failures_.Degraded());
}

TEST_F(FailureWindowTest, ThoseOfFourKeysDoNot) {
  for (uint64_t n = 0; n < 100; ++n) Fail(n, n % 4);
  EXPECT_FALSE(failures_.Degraded());
}

TEST_F(FailureWindowTest, ThoseOfKeysToBlameDoNotButTheirAttemptsAreKnown) {
  for (uint64_t n = 0; n < 100; ++n) Fail(n % 10, n % 10, false);
  EXPECT_FALSE(failures_.Degraded());
  EXPECT_EQ(failures_.Attempts().at(3), 10U);
  EXPECT_FALSE(failures_.OfOthers(1000, false, now_));
}

TEST_F(FailureWindowTest, RejectionsUseNoAttempt) {
  Fail(1, 1);
  Fail(1, 1, true, true);
  Fail(2, 2, true, true);
  EXPECT_EQ(failures_.Attempts(), (std::map<uint64_t, uint32_t>{{1, 1}}));
}

TEST_F(FailureWindowTest, OutsideTheWindowTheyAreForgotten) {
  for (uint64_t n = 0; n < 19; ++n) Fail(n, n);
  now_ += seconds(31);
  Fail(20, 20);
  EXPECT_FALSE(failures_.Degraded());
  EXPECT_EQ(failures_.Keys({7, 8}, now_), 3U);
}

TEST_F(FailureWindowTest, OthersAreOtherEventsOfTheSameKeyToo) {
  Fail(1, 1);
  EXPECT_FALSE(failures_.OfOthers(1, false, now_));
  EXPECT_TRUE(failures_.OfOthers(2, false, now_));
  EXPECT_FALSE(failures_.OfOthers(2, true, now_)) << "it was not rejected";
  Fail(1, 1, true, true);
  EXPECT_TRUE(failures_.OfOthers(2, true, now_));
  now_ += seconds(31);
  EXPECT_FALSE(failures_.OfOthers(2, false, now_));
}

TEST_F(FailureWindowTest, TwoEventsThatMeetSilenceSayThatTheAppIsDegraded) {
  for (int n = 0; n < 9; ++n) failures_.AddSilence(1, now_, now_);
  EXPECT_FALSE(failures_.Degraded()) << "one event may be what hangs";
  failures_.AddSilence(2, now_, now_);
  EXPECT_TRUE(failures_.Degraded());
}

TEST_F(FailureWindowTest, SilencesFarApartSayNothing) {
  failures_.AddSilence(1, now_, now_);
  failures_.AddSilence(2, now_ + seconds(31), now_ + seconds(41));
  EXPECT_FALSE(failures_.Degraded());
  failures_.AddSilence(3, now_ + seconds(71), now_ + seconds(81));
  EXPECT_TRUE(failures_.Degraded()) << "it began within the window of the one before";
}

TEST_F(FailureWindowTest, AreBoundedInNumber) {
  for (uint64_t n = 0; n < 100'000; ++n) Fail(n, n);
  EXPECT_LE(failures_.all().size(), 4096U);
  EXPECT_LE(failures_.Keys({}, now_), 4096U);
}

}  // namespace
}  // namespace outrigger::deliver
