#include "kafka/client_recovery.h"

#include <gtest/gtest.h>

namespace outrigger::kafka {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Phase = ClientRecovery::Phase;

const Handle::Fatal kBroken{RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, "out of order"};
const Handle::Fatal kDenied{RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, "not allowed"};

class ClientRecoveryTest : public testing::Test {
 protected:
  // Fails the present client and waits until the next one is built; returns how long that took.
  base::Duration FailAndRebuild(const Handle::Fatal& why = kBroken) {
    const base::TimePoint start = loop_.Now();
    EXPECT_TRUE(recovery_.OnFatal(why));
    const int before = asked_;
    while (asked_ == before) loop_.Advance(clock_, milliseconds(100));
    recovery_.OnBuilt();
    return loop_.Now() - start;
  }

  base::ManualClock clock_;
  base::Loop loop_{clock_.clock()};
  int asked_ = 0;
  ClientRecovery recovery_{loop_, [this] { ++asked_; }};
};

TEST_F(ClientRecoveryTest, AfterAFatalErrorTheClientIsReplacedWithinASecond) {
  EXPECT_EQ(FailAndRebuild(), seconds(1));
  EXPECT_EQ(recovery_.phase(), Phase::kRunning);
  EXPECT_EQ(recovery_.rebuilds(), 1u);
  EXPECT_EQ(recovery_.why(), "out of order");
  EXPECT_EQ(recovery_.trouble(), "") << "one failure is nothing for people";
}

TEST_F(ClientRecoveryTest, ItIsReplacedAtOnceWhenNothingIsUndecided) {
  recovery_.OnFatal(kBroken);
  recovery_.OnAllDecided();
  loop_.Advance(clock_, {});
  EXPECT_EQ(asked_, 1);
}

TEST_F(ClientRecoveryTest, OneErrorReplacesOneClient) {
  EXPECT_TRUE(recovery_.OnFatal(kBroken));
  EXPECT_FALSE(recovery_.OnFatal(kBroken));
  loop_.Advance(clock_, seconds(10));
  EXPECT_EQ(asked_, 1);
}

TEST_F(ClientRecoveryTest, ThePauseDoublesUpTo30Seconds) {
  FailAndRebuild();
  for (const int pause : {1, 2, 4, 8, 16, 30, 30}) EXPECT_EQ(FailAndRebuild(), seconds(pause));
  EXPECT_NE(recovery_.trouble(), "");
}

TEST_F(ClientRecoveryTest, AClientThatFailedBeforeWaitsForItsTime) {
  FailAndRebuild();
  recovery_.OnFatal(kBroken);
  recovery_.OnAllDecided();
  loop_.Advance(clock_, milliseconds(999));
  EXPECT_EQ(asked_, 1);
  loop_.Advance(clock_, milliseconds(1));
  EXPECT_EQ(asked_, 2);
}

TEST_F(ClientRecoveryTest, AnAcknowledgementEndsTheRowOfFailures) {
  for (int i = 0; i < 3; ++i) FailAndRebuild();
  EXPECT_TRUE(recovery_.OnAcked());
  EXPECT_EQ(recovery_.trouble(), "");
  EXPECT_FALSE(recovery_.OnAcked());
  EXPECT_EQ(FailAndRebuild(), seconds(1));
  EXPECT_EQ(recovery_.trouble(), "");
}

TEST_F(ClientRecoveryTest, AnAcknowledgementOfTheClientThatIsReplacedDoesNot) {
  FailAndRebuild();
  recovery_.OnFatal(kBroken);
  EXPECT_FALSE(recovery_.OnAcked());
  EXPECT_NE(recovery_.trouble(), "");
}

TEST_F(ClientRecoveryTest, TheTroubleEndsWhenTheNextClientWasConnectedForAWhile) {
  FailAndRebuild();
  FailAndRebuild();
  loop_.Advance(clock_, seconds(5));
  recovery_.OnConnected();
  EXPECT_NE(recovery_.trouble(), "");
  loop_.Advance(clock_, seconds(1));
  recovery_.OnConnected();
  EXPECT_EQ(recovery_.trouble(), "");
}

TEST_F(ClientRecoveryTest, WhatKafkaDeniesIsRefusedFromTheSecondErrorToTheNextClient) {
  recovery_.OnFatal(kDenied);
  EXPECT_FALSE(recovery_.denied());
  loop_.Advance(clock_, seconds(1));
  EXPECT_FALSE(recovery_.OnBuilt());
  recovery_.OnFatal(kDenied);
  ASSERT_TRUE(recovery_.denied());
  EXPECT_EQ(recovery_.denied()->reason, Reason::kUnauthorized);
  loop_.Advance(clock_, seconds(1));
  EXPECT_TRUE(recovery_.OnBuilt());
  EXPECT_FALSE(recovery_.denied());
}

TEST_F(ClientRecoveryTest, ABuildThatFailedIsTriedAgainInASecond) {
  recovery_.OnFatal(kBroken);
  loop_.Advance(clock_, seconds(1));
  recovery_.OnBuildFailed("no such file");
  EXPECT_TRUE(recovery_.rebuilding());
  loop_.Advance(clock_, seconds(1));
  EXPECT_EQ(asked_, 2);
}

TEST_F(ClientRecoveryTest, AStallReplacesTheClientToo) {
  recovery_.OnStall("no answer");
  EXPECT_TRUE(recovery_.rebuilding());
  EXPECT_FALSE(recovery_.OnFatal(kBroken));
  loop_.Advance(clock_, seconds(1));
  EXPECT_EQ(asked_, 1);
  EXPECT_EQ(recovery_.why(), "no answer");
}

TEST_F(ClientRecoveryTest, AfterCloseNoneIsReplaced) {
  recovery_.OnFatal(kBroken);
  recovery_.Close();
  loop_.Advance(clock_, seconds(60));
  EXPECT_EQ(asked_, 0);
  EXPECT_FALSE(recovery_.OnFatal(kBroken));
}

}  // namespace
}  // namespace outrigger::kafka
