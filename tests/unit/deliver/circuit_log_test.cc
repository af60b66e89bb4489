#include "deliver/circuit_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace outrigger::deliver {
namespace {

using State = AppCircuit::State;
using std::chrono::seconds;
using testing::HasSubstr;

class CircuitLogTest : public testing::Test {
 protected:
  std::string Show(State state) {
    testing::internal::CaptureStderr();
    log_.Show(state, now_);
    return testing::internal::GetCapturedStderr();
  }

  base::TimePoint now_{seconds(1000)};
  CircuitLog log_{"orders", "127.0.0.1:3000"};
};

TEST_F(CircuitLogTest, SaysAtOnceThatTheAppIsAway) {
  EXPECT_EQ(Show(State::kClosed), "");
  EXPECT_EQ(Show(State::kChecking), "");
  EXPECT_THAT(Show(State::kDown), HasSubstr("the app is down"));
  EXPECT_EQ(Show(State::kDown), "");
}

TEST_F(CircuitLogTest, AnAppThatTakesAProbeNowAndThenHasALineEachTenSeconds) {
  int lines = 0;
  for (int second = 0; second < 100; ++second, now_ += seconds(1)) {
    if (!Show(State::kDegraded).empty()) ++lines;
    if (!Show(State::kClosed).empty()) ++lines;
  }
  EXPECT_GE(lines, 5);
  EXPECT_LE(lines, 10);
}

TEST_F(CircuitLogTest, TheLastLineIsTrueInTheEnd) {
  Show(State::kDegraded);
  EXPECT_EQ(Show(State::kClosed), "") << "too soon";
  now_ += seconds(9);
  EXPECT_EQ(Show(State::kClosed), "");
  now_ += seconds(1);
  const std::string line = Show(State::kClosed);
  EXPECT_THAT(line, HasSubstr("the app is back"));
  EXPECT_EQ(Show(State::kClosed), "");
}

}  // namespace
}  // namespace outrigger::deliver
