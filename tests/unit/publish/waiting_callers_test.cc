#include "publish/waiting_callers.h"

#include <gtest/gtest.h>

#include "publish/pending.h"

namespace outrigger::publish {
namespace {

using std::chrono::seconds;

class WaitingCallersTest : public testing::Test {
 protected:
  void Add(Pending& event, const std::string& name, bool joins = false) {
    callers_.Add(
        event, [this, name](const Outcome& outcome) { said_.push_back(name + " " + outcome.id); },
        joins);
  }
  void Answer(Pending& event) { callers_.Answer(event, Outcome{"done", {}, {}}); }

  base::ManualClock clock_;
  base::Loop loop_{clock_.clock()};
  std::vector<std::string> said_;
  WaitingCallers callers_{loop_, seconds(10), [](std::vector<WaitingCallers::Late> late) {
                            for (auto& caller : late) caller.on_decided(Outcome{"late", {}, {}});
                          }};
  Pending one_, other_;
};

TEST_F(WaitingCallersTest, AllOfAnEventAreAnsweredInTheOrderInWhichTheyCame) {
  Add(one_, "a");
  Add(other_, "b");
  Add(one_, "c", true);
  EXPECT_EQ(callers_.joined(), 1U);
  Answer(one_);
  EXPECT_EQ(said_, (std::vector<std::string>{"a done", "c done"}));
  EXPECT_EQ(callers_.joined(), 0U);
  Answer(one_);
  EXPECT_EQ(said_.size(), 2U) << "they are answered once";
}

TEST_F(WaitingCallersTest, WhoIsLateNoLongerWaitsAndOthersOfTheEventStillDo) {
  Add(one_, "a");
  loop_.Advance(clock_, seconds(4));
  Add(one_, "b", true);
  loop_.Advance(clock_, seconds(6));
  EXPECT_EQ(said_, std::vector<std::string>{"a late"});
  Answer(one_);
  EXPECT_EQ(said_.back(), "b done");
  loop_.Advance(clock_, seconds(20));
  EXPECT_EQ(said_.size(), 2U);
}

TEST_F(WaitingCallersTest, AShorterTimeoutHoldsForThoseWhoWait) {
  Add(one_, "a");
  loop_.Advance(clock_, seconds(4));
  callers_.SetTimeout(seconds(3));
  loop_.RunReady();
  EXPECT_EQ(said_, std::vector<std::string>{"a late"});
}

TEST_F(WaitingCallersTest, ManyAreAnsweredAFewAtATime) {
  for (int i = 0; i < 2000; ++i) Add(one_, "a", i > 0);
  Answer(one_);
  EXPECT_EQ(said_.size(), 512U);
  EXPECT_EQ(callers_.joined(), 0U) << "those without an answer no longer count as waiting";
  Add(other_, "b");
  loop_.RunReady();
  EXPECT_EQ(said_.size(), 2000U);
}

TEST_F(WaitingCallersTest, ManyWhoAreLateTogetherAreAnsweredAFewAtATime) {
  for (int i = 0; i < 1000; ++i) Add(i % 2 == 0 ? one_ : other_, "a");
  loop_.Advance(clock_, seconds(10) - std::chrono::milliseconds(1));
  EXPECT_TRUE(said_.empty());
  loop_.Advance(clock_, std::chrono::milliseconds(2));
  EXPECT_EQ(said_.size(), 1000U);
  EXPECT_EQ(one_.callers.first, nullptr);
  EXPECT_EQ(one_.callers.last, nullptr);
}

}  // namespace
}  // namespace outrigger::publish
