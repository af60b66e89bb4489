// The producer when its client is of no use any more: fatal errors of every code, and stalls.
#include "support/producer_fixture.h"

namespace outrigger::kafka {
namespace {

constexpr auto kDenied = RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED;

class ProducerRebuildTest : public ProducerTest {
 protected:
  explicit ProducerRebuildTest(int brokers = 1) : ProducerTest(brokers) {}

  void Fail(rd_kafka_resp_err_t error) {
    ASSERT_EQ(rd_kafka_test_fatal_error(static_cast<rd_kafka_t*>(producer_->native_handle()), error,
                                        "for the test"),
              RD_KAFKA_RESP_ERR_NO_ERROR);
  }
  // The client fails, and the next one at once again: a cluster that goes on refusing.
  void FailTwice(rd_kafka_resp_err_t error) {
    Fail(error);
    ASSERT_TRUE(test::RunUntil(loop_, [&] { return producer_->rebuilds() == 1; }));
    Fail(error);
    ASSERT_TRUE(test::RunUntil(loop_, [&] { return !producer_->connection().refusal.empty(); }));
  }
};

TEST_F(ProducerRebuildTest, AfterAFatalErrorTheHandleIsNewAndWhatWasNotAckedIsSentAgain) {
  Open();
  SendMany(20, 5);
  ASSERT_TRUE(Settled());
  for (int round = 0; round < 5; ++round) {
    SendMany(20, 50);
    ASSERT_EQ(
        rd_kafka_test_fatal_error(static_cast<rd_kafka_t*>(producer_->native_handle()),
                                  RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, "for the test"),
        RD_KAFKA_RESP_ERR_NO_ERROR);
    SendMany(20, 50);
    ASSERT_TRUE(Settled());
  }
  EXPECT_TRUE(refused_.empty());
  EXPECT_EQ(producer_->rebuilds(), 5u);
  ExpectInOrder(true);
}

// Error events, reports and refused calls have the cause's code, not that of a fatal error.
class FatalError : public ProducerRebuildTest,
                   public testing::WithParamInterface<rd_kafka_resp_err_t> {};

TEST_P(FatalError, OfAnyCodeGetsANewHandleAndRefusesNothing) {
  Open();
  SendMany(20, 5);
  ASSERT_TRUE(Settled());
  for (uint64_t round = 1; round <= 3; ++round) {
    SendMany(20, 50);
    Fail(GetParam());
    SendMany(20, 50);
    ASSERT_TRUE(Settled());
    EXPECT_EQ(producer_->rebuilds(), round);
  }
  EXPECT_TRUE(refused_.empty());
  EXPECT_EQ(producer_->connection().refusal, "");
  ExpectInOrder(true);
}

TEST_P(FatalError, OfAnyCodeWhileNothingWaitsIsSeenToo) {
  Open();
  Send("key");
  ASSERT_TRUE(Settled());
  Fail(GetParam());
  ASSERT_TRUE(test::RunUntil(loop_, [&] { return producer_->rebuilds() == 1; }));
  Send("key");
  ASSERT_TRUE(Settled());
  EXPECT_EQ(acked_.size(), 2u);
}

INSTANTIATE_TEST_SUITE_P(
    All, FatalError,
    testing::Values(kDenied, RD_KAFKA_RESP_ERR__INCONSISTENT,
                    RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE,
                    RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER,
                    RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH,
                    RD_KAFKA_RESP_ERR__FENCED, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
                    RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART,
                    RD_KAFKA_RESP_ERR__GAPLESS_GUARANTEE, RD_KAFKA_RESP_ERR__TIMED_OUT),
    [](const auto& info) { return rd_kafka_err2name(info.param) + std::string(); });

TEST_F(ProducerRebuildTest, AClientThatIsDeniedAgainRefusesAtOnceAndNamesTheClusterUntilItWorks) {
  Open();
  FailTwice(kDenied);
  const Connection& connection = producer_->connection();
  EXPECT_TRUE(connection.refused);
  EXPECT_NE(connection.refusal.find("cluster"), std::string::npos) << connection.refusal;
  EXPECT_NE(connection.refusal.find("IDEMPOTENT_WRITE"), std::string::npos) << connection.refusal;
  Send("key");
  ASSERT_TRUE(Settled());
  ASSERT_EQ(refused_.size(), 1u);
  EXPECT_EQ(refused_[0].reason, Reason::kUnauthorized);
  EXPECT_TRUE(refused_[0].error.retryable);
  EXPECT_FALSE(refused_[0].possibly_stored);
  ASSERT_TRUE(test::RunUntil(loop_, [&] { return producer_->rebuilds() == 2; }));
  Send("key");
  ASSERT_TRUE(Settled());
  EXPECT_EQ(acked_.size(), 1u);
  EXPECT_EQ(connection.refusal, "");
  EXPECT_FALSE(connection.refused);
}

TEST_F(ProducerRebuildTest, TheRefusalEndsByItselfWhereNothingIsPublished) {
  Open();
  FailTwice(kDenied);
  EXPECT_TRUE(test::RunUntil(loop_, [&] { return producer_->connection().refusal.empty(); }));
}

TEST_F(ProducerRebuildTest, ClientsThatFailInARowAreReplacedMoreAndMoreRarely) {
  Open();
  std::vector<base::TimePoint> rebuilt;
  for (uint64_t n = 1; n <= 4; ++n) {
    Fail(kDenied);
    ASSERT_TRUE(test::RunUntil(loop_, [&] { return producer_->rebuilds() == n; }));
    rebuilt.push_back(loop_.Now());
  }
  EXPECT_GE(rebuilt[1] - rebuilt[0], std::chrono::milliseconds(900));
  EXPECT_GE(rebuilt[2] - rebuilt[1], std::chrono::milliseconds(1900));
  EXPECT_GE(rebuilt[3] - rebuilt[2], std::chrono::milliseconds(3900));
  Send("key");
  ASSERT_TRUE(Settled());
  ASSERT_EQ(acked_.size(), 1u);
  const auto worked = loop_.Now();
  Fail(kDenied);
  ASSERT_TRUE(test::RunUntil(loop_, [&] { return producer_->rebuilds() == 5; }));
  EXPECT_LE(loop_.Now() - worked, std::chrono::milliseconds(900)) << "an ack ends the backoff";
}

TEST_F(ProducerRebuildTest, ARecordThatMayBeInKafkaIsRefusedAsSuch) {
  Open();
  Send("key", "t", 0);
  ASSERT_TRUE(Settled());
  rd_kafka_mock_broker_set_rtt(mock_, 1, 3000);
  Send("key", "t", 0);  // on the wire, and not answered
  base::Timer later = loop_.After(std::chrono::milliseconds(300), [&] { Fail(kDenied); });
  ASSERT_TRUE(test::RunUntil(loop_, [&] { return producer_->rebuilds() == 1; }));
  Fail(kDenied);
  ASSERT_TRUE(Settled());
  ASSERT_EQ(refused_.size(), 1u);
  EXPECT_TRUE(refused_[0].possibly_stored);
}

TEST_F(ProducerRebuildTest, CloseEndsAlsoWhileTheClientIsDenied) {
  Open();
  FailTwice(kDenied);
  bool closed = false;
  producer_->Close(std::chrono::seconds(5), [&] { closed = true; });
  EXPECT_TRUE(test::RunUntil(loop_, [&] { return closed; }));
}

class ProducerConfigTest : public ProducerRebuildTest {
 protected:
  ProducerConfigTest() { other_->CreateTopic("t", 2 * kPartitions); }

  void UseOther() {
    config::Kafka kafka;
    kafka.brokers = {other_->bootstrap()};
    producer_->SetKafka(kafka);
  }
  // What is expected is in the other cluster now.
  void ExpectInOrderThere() {
    broker_.swap(other_);
    ExpectInOrder(false, 2 * kPartitions);
    broker_.swap(other_);
  }

  std::unique_ptr<EmbeddedBroker> other_ = std::move(*EmbeddedBroker::Start());
};

TEST_F(ProducerConfigTest, OtherBrokersGetWhatTheFirstDidNotAcknowledgeInOrder) {
  Open();
  rd_kafka_mock_broker_set_down(mock_, 1);
  SendMany(20, 50);
  UseOther();
  SendMany(20, 50);
  ASSERT_TRUE(Settled());
  EXPECT_TRUE(refused_.empty());
  EXPECT_EQ(producer_->rebuilds(), 1u);
  EXPECT_TRUE(producer_->connection().connected);
  ExpectInOrderThere();
}

TEST_F(ProducerConfigTest, WhatIsUnderWayIsDecidedFirstSoThatNothingIsInBothClusters) {
  Open();
  SendMany(20, 50);
  ASSERT_TRUE(test::RunUntil(loop_, [&] { return reported_ > 0; }));
  UseOther();
  SendMany(20, 50);
  ASSERT_TRUE(Settled());
  EXPECT_TRUE(refused_.empty());
  const size_t first = test::ReadTopic(broker_->bootstrap(), "t", kPartitions).size();
  const size_t second = test::ReadTopic(other_->bootstrap(), "t", 2 * kPartitions).size();
  EXPECT_EQ(first + second, sent_);
  EXPECT_GT(second, 0u);
}

TEST_F(ProducerConfigTest, AClientThatIsDeniedIsReplacedAtOnce) {
  Open();
  FailTwice(kDenied);
  UseOther();
  Send("key");
  ASSERT_TRUE(Settled());
  EXPECT_TRUE(refused_.empty());
  EXPECT_EQ(producer_->connection().refusal, "");
}

TEST_F(ProducerConfigTest, BrokersThatCantBeReachedAreNamedAndTheNextOnesGetEverything) {
  Open();
  Send("key");
  ASSERT_TRUE(Settled());
  config::Kafka nowhere;
  nowhere.brokers = {"127.0.0.1:1"};
  producer_->SetKafka(nowhere);
  SendMany(20, 5);
  ASSERT_TRUE(test::RunUntil(loop_, [&] { return !producer_->connection().connected; }));
  UseOther();
  ASSERT_TRUE(Settled());
  EXPECT_TRUE(refused_.empty());
}

class ProducerStallTest : public ProducerRebuildTest {
 protected:
  ProducerStallTest() : ProducerRebuildTest(3) {
    for (int p = 0; p < kPartitions; ++p) rd_kafka_mock_partition_set_leader(mock_, "t", p, 1);
  }
  void Open(std::chrono::milliseconds stalled_after) {
    ProducerOptions options;
    options.stalled_after = stalled_after;
    ProducerTest::Open(std::move(options));
    SendOneToEach();
    ASSERT_TRUE(Settled());
  }
};

TEST_F(ProducerStallTest, ABatchUndecidedForLongWhoseLeaderIsKnownGetsANewHandle) {
  Open(std::chrono::milliseconds(500));
  // Broker 3 leads and does not answer; who else is asked names it as the leader.
  rd_kafka_mock_partition_set_leader(mock_, "t", 0, 3);
  rd_kafka_mock_broker_set_rtt(mock_, 3, 3600'000);
  SendOneToEach();
  ASSERT_TRUE(test::RunUntil(loop_, [&] { return producer_->rebuilds() == 1; }));
  rd_kafka_mock_broker_set_rtt(mock_, 3, 0);
  rd_kafka_mock_partition_set_leader(mock_, "t", 0, 2);
  ASSERT_TRUE(Settled());
  EXPECT_TRUE(refused_.empty());
  ExpectInOrder(true);
}

TEST_F(ProducerStallTest, WhatGoesOnWaitingGetsNewHandlesMoreAndMoreRarely) {
  Open(std::chrono::milliseconds(500));
  rd_kafka_mock_partition_set_leader(mock_, "t", 0, 3);
  rd_kafka_mock_broker_set_rtt(mock_, 3, 3600'000);
  SendOneToEach();
  std::vector<base::TimePoint> rebuilt;
  for (uint64_t n = 1; n <= 3; ++n) {
    ASSERT_TRUE(test::RunUntil(loop_, [&] { return producer_->rebuilds() == n; }));
    rebuilt.push_back(loop_.Now());
  }
  EXPECT_GE(rebuilt[2] - rebuilt[1], std::chrono::seconds(3)) << "four times the first patience";
}

TEST_F(ProducerStallTest, APartitionWithoutALeaderIsWaitedForByTheSameHandle) {
  rd_kafka_mock_partition_set_leader(mock_, "t", 0, -1);
  ProducerOptions options;
  options.stalled_after = std::chrono::milliseconds(500);
  ProducerTest::Open(std::move(options));
  SendOneToEach();
  ASSERT_TRUE(test::RunUntil(loop_, [&] { return reported_ == sent_ - 1; }));
  bool waited = false;
  const base::Timer end = loop_.After(std::chrono::seconds(4), [&] { waited = true; });
  ASSERT_TRUE(test::RunUntil(loop_, [&] { return waited; }));
  EXPECT_EQ(producer_->rebuilds(), 0u);
  rd_kafka_mock_partition_set_leader(mock_, "t", 0, 1);
  ASSERT_TRUE(Settled());
  EXPECT_TRUE(refused_.empty());
}

}  // namespace
}  // namespace outrigger::kafka
