#include "kafka/consumer_health.h"

#include <gtest/gtest.h>

namespace outrigger::kafka {
namespace {

using std::chrono::seconds;

class ConsumerHealthTest : public testing::Test {
 protected:
  const base::TimePoint start_ = base::TimePoint() + std::chrono::hours(1);
  int changes_ = 0;
  ConsumerHealth health_{start_, [this](const Connection&) { ++changes_; }};
};

TEST_F(ConsumerHealthTest, TheFirstAnswerConnectsAndEndsTheLastError) {
  health_.OnNoAnswer("timed out", start_);
  EXPECT_EQ(health_.connection().last_error, "timed out");
  health_.OnHeard(start_ + seconds(1));
  EXPECT_TRUE(health_.connected());
  EXPECT_EQ(health_.connection().since, start_ + seconds(1));
  EXPECT_EQ(health_.connection().last_error, "");
  EXPECT_EQ(changes_, 2);
}

TEST_F(ConsumerHealthTest, WhatDoesNotChangeAnythingIsNotTold) {
  health_.OnHeard(start_);
  health_.OnHeard(start_ + seconds(1));
  health_.OnNoAnswer("timed out", start_ + seconds(2));
  health_.OnNoAnswer("timed out", start_ + seconds(3));
  EXPECT_EQ(changes_, 2);
  EXPECT_EQ(health_.connection().since, start_ + seconds(2));
}

TEST_F(ConsumerHealthTest, TheReasonWhyNobodyAnswersIsTheClientsWhereItKnowsOne) {
  health_.OnBrokerError("authentication failed: no such user", false);
  health_.OnBrokerError("1/1 brokers are down", true);
  health_.OnNoAnswer("timed out", start_);
  EXPECT_EQ(health_.connection().last_error, "authentication failed: no such user");
}

TEST_F(ConsumerHealthTest, AReasonFromBeforeABrokerAnsweredIsForgotten) {
  health_.OnBrokerError("connection refused", false);
  health_.OnHeard(start_);
  health_.OnNoAnswer("timed out", start_ + seconds(1));
  EXPECT_EQ(health_.connection().last_error, "timed out");
}

TEST_F(ConsumerHealthTest, ATroubleIsToldWhenItBeginsAndWhenItEnds) {
  health_.Begin(Trouble::kGroup, {}, "not authorized");
  health_.Begin(Trouble::kGroup, {}, "not authorized");
  EXPECT_EQ(changes_, 1);
  EXPECT_TRUE(health_.refused());
  health_.EndAll(Trouble::kGroup);
  health_.EndAll(Trouble::kGroup);
  EXPECT_EQ(changes_, 2);
  EXPECT_FALSE(health_.refused());
}

TEST_F(ConsumerHealthTest, APartitionThatMayNotBeReadDoesNotKeepTheGroupFromTakingUsIn) {
  health_.Begin(Trouble::kFetchRefused, "orders/0", "not authorized");
  EXPECT_FALSE(health_.refused());
  health_.Begin(Trouble::kTopicMissing, "orders", "unknown topic");
  EXPECT_TRUE(health_.refused());
}

}  // namespace
}  // namespace outrigger::kafka
