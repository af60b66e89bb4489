#include "http/deadline.h"

#include <gtest/gtest.h>

namespace outrigger::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Wait = Deadline::Wait;

class WaitForTheClient : public testing::Test {
 protected:
  WaitForTheClient() {
    limits_.idle_timeout = seconds(60);
    limits_.head_timeout = seconds(5);
    limits_.body_timeout = seconds(10);
  }
  base::TimePoint now() const { return clock_.clock().now(); }
  void Set(Wait wait) { deadline_.Set(wait, limits_, now()); }
  bool Passed() const { return deadline_.Passed(now()); }
  bool GivesWay() const { return deadline_.GivesWaySince(now()).has_value(); }

  Limits limits_;
  base::ManualClock clock_;
  Deadline deadline_;
};

TEST_F(WaitForTheClient, LastsAsLongAsTheLimitOfWhatItIsFor) {
  for (const auto& [wait, time] : {std::pair{Wait::kIdle, seconds(60)},
                                   {Wait::kHead, seconds(5)},
                                   {Wait::kBody, seconds(10)},
                                   {Wait::kWrite, seconds(10)},
                                   {Wait::kLinger, seconds(2)}}) {
    Set(wait);
    clock_.Advance(time - milliseconds(1));
    EXPECT_FALSE(Passed()) << static_cast<int>(wait);
    clock_.Advance(milliseconds(1));
    EXPECT_TRUE(Passed()) << static_cast<int>(wait);
  }
}

TEST_F(WaitForTheClient, NeverEndsWhileNothingIsWaitedFor) {
  EXPECT_FALSE(Passed());
  Set(Wait::kBody);
  deadline_.Clear();
  clock_.Advance(seconds(3600));
  EXPECT_FALSE(Passed());
  EXPECT_FALSE(GivesWay());
  EXPECT_EQ(deadline_.wait(), Wait::kNone);
}

TEST_F(WaitForTheClient, CountsFromTheLastSet) {
  Set(Wait::kBody);
  clock_.Advance(seconds(9));
  Set(Wait::kBody);
  clock_.Advance(seconds(9));
  EXPECT_FALSE(Passed());
}

TEST_F(WaitForTheClient, IsASecondForWhatIsIdleInADrain) {
  Set(Wait::kIdle);
  clock_.Advance(milliseconds(400));
  deadline_.ShortenForDrain();
  clock_.Advance(milliseconds(599));
  EXPECT_FALSE(Passed());
  clock_.Advance(milliseconds(1));
  EXPECT_TRUE(Passed());
}

TEST_F(WaitForTheClient, IsOverInADrainForWhatHasBeenIdleForLonger) {
  Set(Wait::kIdle);
  clock_.Advance(seconds(30));
  deadline_.ShortenForDrain();
  EXPECT_TRUE(Passed());
}

TEST_F(WaitForTheClient, IsNotMadeLongerByADrain) {
  limits_.idle_timeout = milliseconds(300);
  Set(Wait::kIdle);
  deadline_.ShortenForDrain();
  clock_.Advance(milliseconds(300));
  EXPECT_TRUE(Passed());
}

TEST_F(WaitForTheClient, IsTheSameInADrainForARequestThatHasBegun) {
  for (const Wait wait : {Wait::kHead, Wait::kBody, Wait::kWrite}) {
    Set(wait);
    deadline_.ShortenForDrain();
    clock_.Advance(seconds(4));
    EXPECT_FALSE(Passed()) << static_cast<int>(wait);
  }
}

TEST_F(WaitForTheClient, EndsWithARefusalThatNamesTheLimitOnlyInsideARequest) {
  Set(Wait::kHead);
  EXPECT_EQ(deadline_.TooLate()->status, 408);
  EXPECT_EQ(deadline_.TooLate()->limit, "headTimeout");
  Set(Wait::kBody);
  EXPECT_EQ(deadline_.TooLate()->limit, "bodyTimeout");
  for (const Wait wait : {Wait::kIdle, Wait::kWrite, Wait::kLinger}) {
    Set(wait);
    EXPECT_FALSE(deadline_.TooLate()) << static_cast<int>(wait);
  }
}

TEST_F(WaitForTheClient, GivesWayAtOnceWhereNothingIsLost) {
  for (const Wait wait : {Wait::kIdle, Wait::kLinger}) {
    Set(wait);
    const base::TimePoint since = now();
    clock_.Advance(milliseconds(1));
    EXPECT_EQ(deadline_.GivesWaySince(now()), since) << static_cast<int>(wait);
  }
}

TEST_F(WaitForTheClient, GivesWayAfterASecondForASlowHeadOrAnAnswerThatIsNotRead) {
  for (const Wait wait : {Wait::kHead, Wait::kWrite}) {
    Set(wait);
    clock_.Advance(milliseconds(999));
    EXPECT_FALSE(GivesWay()) << static_cast<int>(wait);
    clock_.Advance(milliseconds(1));
    EXPECT_TRUE(GivesWay()) << static_cast<int>(wait);
  }
}

TEST_F(WaitForTheClient, NeverGivesWayInsideABody) {
  Set(Wait::kBody);
  clock_.Advance(seconds(3600));
  EXPECT_FALSE(GivesWay());
}

}  // namespace
}  // namespace outrigger::http
