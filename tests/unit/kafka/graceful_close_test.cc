#include "kafka/graceful_close.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace outrigger::kafka {
namespace {

using std::chrono::seconds;
using Phase = GracefulClose::Phase;
using Calls = std::vector<std::string>;

class GracefulCloseTest : public testing::Test {
 protected:
  void Begin() {
    close_.Begin(
        loop_, seconds(5),
        [this] {
          calls_.push_back("late");
          close_.OnEmpty();
        },
        [this] { calls_.push_back("done"); });
  }

  base::ManualClock clock_;
  base::Loop loop_{clock_.clock()};
  GracefulClose close_;
  Calls calls_;
};

TEST_F(GracefulCloseTest, ItIsDoneWhenNothingIsLeft) {
  close_.OnEmpty();
  EXPECT_EQ(close_.phase(), Phase::kOpen);
  Begin();
  EXPECT_EQ(close_.phase(), Phase::kClosing);
  EXPECT_EQ(calls_, Calls{});
  close_.OnEmpty();
  close_.OnEmpty();
  EXPECT_EQ(close_.phase(), Phase::kClosed);
  loop_.Advance(clock_, seconds(60));
  EXPECT_EQ(calls_, Calls{"done"});
}

TEST_F(GracefulCloseTest, WhatIsLateIsGivenUpBeforeItIsDone) {
  Begin();
  loop_.Advance(clock_, seconds(5));
  EXPECT_EQ(calls_, (Calls{"late", "done"}));
  EXPECT_EQ(close_.phase(), Phase::kClosed);
}

}  // namespace
}  // namespace outrigger::kafka
