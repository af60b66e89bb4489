#include "deliver/concurrency.h"

#include <gtest/gtest.h>

#include <deque>

namespace outrigger::deliver {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class ConcurrencyTest : public testing::Test {
 protected:
  Concurrency concurrency_{64};
  base::TimePoint now_{seconds(1000)};
};

TEST_F(ConcurrencyTest, IsWhatTheConfigurationSaysWhileTheAppKeepsUp) {
  for (int n = 0; n < 1000; ++n) concurrency_.OnAnswer(64, now_ += seconds(1));
  EXPECT_EQ(concurrency_.limit(), 64U);
}

TEST_F(ConcurrencyTest, IsHalvedOnceForAllCallsThatWereUnderWay) {
  const auto begun = now_;
  now_ += seconds(1);
  for (int n = 0; n < 63; ++n) concurrency_.OnOverload(64, begun, now_);
  EXPECT_EQ(concurrency_.limit(), 32U);
  concurrency_.OnOverload(32, now_, now_ + seconds(1));
  EXPECT_EQ(concurrency_.limit(), 16U);
}

TEST_F(ConcurrencyTest, IsHalfOfWhatWasUnderWay) {
  concurrency_.OnOverload(6, now_, now_);
  EXPECT_EQ(concurrency_.limit(), 3U);
}

TEST_F(ConcurrencyTest, NeverFallsBelowOne) {
  for (int n = 0; n < 20; ++n)
    concurrency_.OnOverload(concurrency_.limit(), now_, now_), now_ += seconds(1);
  EXPECT_EQ(concurrency_.limit(), 1U);
}

TEST_F(ConcurrencyTest, GrowsBackWhileAnswersComeAndTheLimitIsReached) {
  for (int n = 0; n < 3; ++n) concurrency_.OnOverload(64, now_, now_), now_ += seconds(1);
  ASSERT_EQ(concurrency_.limit(), 8U);
  concurrency_.OnAnswer(3, now_ += seconds(100));
  EXPECT_EQ(concurrency_.limit(), 8U) << "nobody asked for more";
  concurrency_.OnAnswer(8, now_);
  EXPECT_EQ(concurrency_.limit(), 12U);
  concurrency_.OnAnswer(12, now_ += milliseconds(10));
  EXPECT_EQ(concurrency_.limit(), 12U) << "not all at once";
  for (int n = 0; n < 10; ++n) concurrency_.OnAnswer(64, now_ += seconds(100));
  EXPECT_EQ(concurrency_.limit(), 64U);
}

// An app that serves one connection at a time.
TEST_F(ConcurrencyTest, AnAppThatTakesOneIsAskedForTwoEverMoreSeldom) {
  int overloads = 0;
  const auto end = now_ + std::chrono::hours(1);
  for (; now_ < end; now_ += milliseconds(100)) {
    const size_t limit = concurrency_.limit();
    if (limit > 1) {
      concurrency_.OnOverload(limit, now_, now_ + seconds(1));
      now_ += seconds(1);
      ++overloads;
    }
    concurrency_.OnAnswer(concurrency_.limit(), now_);
  }
  EXPECT_LT(overloads, 25);
}

// One that works through its calls in turn, 20 a second, each in time when it comes within a
// second.
TEST_F(ConcurrencyTest, ASlowAppGetsAboutWhatItAnswersInTime) {
  std::deque<base::TimePoint> calls;
  int in_time = 0, late = 0;
  const auto end = now_ + std::chrono::minutes(10);
  for (; now_ < end; now_ += milliseconds(50)) {
    while (calls.size() < concurrency_.limit()) calls.push_back(now_);
    while (!calls.empty() && now_ - calls.front() > seconds(1)) {
      concurrency_.OnOverload(calls.size(), calls.front(), now_);
      calls.pop_front();
      ++late;
    }
    if (calls.empty()) continue;
    concurrency_.OnAnswer(calls.size(), now_);
    calls.pop_front();
    ++in_time;
  }
  EXPECT_GT(in_time, 10'000);
  EXPECT_LT(late, 400);
}

}  // namespace
}  // namespace outrigger::deliver
