#include "base/loop_calls.h"

#include <gtest/gtest.h>

#include <optional>

namespace outrigger::base {
namespace {

class LoopCallsTest : public testing::Test {
 protected:
  Loop loop_{ManualClock().clock()};
  std::optional<LoopCalls> calls_{std::in_place, loop_};
};

TEST_F(LoopCallsTest, ACallComesWithTheLoopsNextTurn) {
  int called = 0;
  calls_->Post([&called] { ++called; });
  EXPECT_EQ(called, 0);
  loop_.RunReady();
  EXPECT_EQ(called, 1);
}

TEST_F(LoopCallsTest, NoCallComesAfterTheOwnersEnd) {
  int called = 0;
  calls_->Post([&called] { ++called; });
  calls_.reset();
  loop_.RunReady();
  EXPECT_EQ(called, 0);
}

TEST_F(LoopCallsTest, ACallbackThatOthersKeepDoesNothingAfterTheOwnersEnd) {
  int called = 0;
  auto callback = calls_->WhileAlive([&called] { ++called; });
  callback();
  calls_.reset();
  callback();
  EXPECT_EQ(called, 1);
}

TEST_F(LoopCallsTest, NoCallComesAfterStop) {
  int called = 0;
  calls_->Post([&called] { ++called; });
  calls_->Stop();
  loop_.RunReady();
  EXPECT_EQ(called, 0);
}

}  // namespace
}  // namespace outrigger::base
