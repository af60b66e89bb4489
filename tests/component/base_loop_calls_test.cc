#include "base/loop_calls.h"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <thread>

namespace outrigger::base {
namespace {

class LoopCallsTest : public testing::Test {
 protected:
  Loop loop_;
  std::optional<LoopCalls> calls_{std::in_place, loop_};
};

TEST_F(LoopCallsTest, AnAnswerComesOnTheLoopFromAQuestionThatRanElsewhere) {
  SideThread side;
  std::thread::id asked_on, answered_on;
  int got = 0;
  calls_->Ask(
      side,
      [&asked_on] {
        asked_on = std::this_thread::get_id();
        return 42;
      },
      [&](int answer) {
        got = answer;
        answered_on = std::this_thread::get_id();
        loop_.Stop();
      });
  const auto timeout = loop_.After(std::chrono::seconds(10), [this] { loop_.Stop(); });
  loop_.Run();
  EXPECT_EQ(got, 42);
  EXPECT_NE(asked_on, std::this_thread::get_id());
  EXPECT_EQ(answered_on, std::this_thread::get_id());
}

TEST_F(LoopCallsTest, AQuestionMayHaveNoResult) {
  SideThread side;
  bool asked = false, answered = false;
  calls_->Ask(
      side, [&asked] { asked = true; },
      [&] {
        answered = true;
        loop_.Stop();
      });
  const auto timeout = loop_.After(std::chrono::seconds(10), [this] { loop_.Stop(); });
  loop_.Run();
  EXPECT_TRUE(asked);
  EXPECT_TRUE(answered);
}

TEST_F(LoopCallsTest, NoAnswerComesAfterTheOwnersEnd) {
  bool answered = false;
  {
    SideThread side;
    calls_->Ask(
        side, [] { return 1; }, [&answered](int) { answered = true; });
    calls_.reset();
  }
  loop_.RunReady();
  EXPECT_FALSE(answered);
}

}  // namespace
}  // namespace outrigger::base
