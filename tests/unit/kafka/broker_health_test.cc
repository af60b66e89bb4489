#include "kafka/broker_health.h"

#include <gtest/gtest.h>

namespace outrigger::kafka {
namespace {

using std::chrono::seconds;

class BrokerHealthTest : public testing::Test {
 protected:
  BrokerHealthTest() {
    health_.OnChange([this](const Connection&) { ++changes_; });
  }

  const base::TimePoint start_ = base::TimePoint() + std::chrono::hours(1);
  BrokerHealth health_{start_};
  int changes_ = 0;
};

TEST_F(BrokerHealthTest, TheFirstSignOfLifeConnects) {
  EXPECT_FALSE(health_.connected());
  health_.OnError("connection refused");
  EXPECT_TRUE(health_.OnHeard(start_ + seconds(1)));
  EXPECT_FALSE(health_.OnHeard(start_ + seconds(2)));
  EXPECT_TRUE(health_.connected());
  EXPECT_EQ(health_.connection().since, start_ + seconds(1));
  EXPECT_EQ(health_.connection().last_error, "");
  EXPECT_EQ(changes_, 1);
}

TEST_F(BrokerHealthTest, WithoutAnAnswerItIsNotConnectedAndTheOlderErrorTellsMore) {
  health_.OnHeard(start_);
  health_.OnError("connection refused");
  health_.OnNoAnswer("timed out", start_ + seconds(1));
  EXPECT_FALSE(health_.connected());
  EXPECT_EQ(health_.connection().last_error, "connection refused");
  health_.OnHeard(start_ + seconds(2));
  health_.OnNoAnswer("timed out", start_ + seconds(3));
  EXPECT_EQ(health_.connection().last_error, "no answer: timed out");
  EXPECT_EQ(changes_, 4);
}

TEST_F(BrokerHealthTest, APingIsDueSoonWhileRecordsWaitAndRarelyWhenIdle) {
  EXPECT_TRUE(health_.PingDue(start_, false)) << "nobody was heard of yet";
  health_.OnHeard(start_);
  EXPECT_FALSE(health_.PingDue(start_ + seconds(1), true));
  EXPECT_TRUE(health_.PingDue(start_ + seconds(2), true));
  EXPECT_FALSE(health_.PingDue(start_ + seconds(10), false));
  EXPECT_TRUE(health_.PingDue(start_ + seconds(11), false));
}

TEST_F(BrokerHealthTest, OnePingIsUnderWay) {
  EXPECT_TRUE(health_.StartPing());
  EXPECT_FALSE(health_.StartPing());
  health_.OnPingAnswered();
  EXPECT_TRUE(health_.StartPing());
}

TEST_F(BrokerHealthTest, WhileNobodyAnswersAPingIsQuestionEnough) {
  EXPECT_TRUE(health_.WorthAsking());
  health_.StartPing();
  EXPECT_FALSE(health_.WorthAsking());
  health_.OnHeard(start_);
  EXPECT_TRUE(health_.WorthAsking());
}

TEST_F(BrokerHealthTest, ARefusalIsAChangeOnce) {
  health_.ShowRefusal("not authorized", true);
  health_.ShowRefusal("not authorized", true);
  EXPECT_EQ(changes_, 1);
  EXPECT_EQ(health_.connection().refusal, "not authorized");
  EXPECT_TRUE(health_.connection().refused);
  health_.ShowRefusal("", false);
  EXPECT_FALSE(health_.connection().refused);
  EXPECT_EQ(changes_, 2);
}

}  // namespace
}  // namespace outrigger::kafka
