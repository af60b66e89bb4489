// The producer on the embedded broker, with the faults that librdkafka's mock cluster can play.
#include "kafka/producer.h"

#include <gtest/gtest.h>
#include <set>

#include "support/producer_fixture.h"

namespace outrigger::kafka {
namespace {

class ProducerOnThreeBrokers : public ProducerTest {
 protected:
  ProducerOnThreeBrokers() : ProducerTest(3) {}
};

TEST_F(ProducerTest, EveryRecordIsAckedOnceAndInOrderOfItsKey) {
  Open();
  SendMany(100, 50);
  ASSERT_TRUE(Settled());
  EXPECT_EQ(acked_.size(), 5000u);
  EXPECT_EQ(std::set(acked_.begin(), acked_.end()).size(), 5000u);
  EXPECT_EQ(producer_->waiting_records(), 0u);
  EXPECT_EQ(producer_->waiting_bytes(), 0u);
  ExpectInOrder();
}

TEST_F(ProducerTest, WhenTheFirstRequestOfAPartitionIsRefusedNothingIsLostAndTheOrderIsKept) {
  Open();
  // Slow, so that a batch that is cut is in flight as several requests.
  rd_kafka_mock_broker_set_rtt(mock_, 1, 50);
  rd_kafka_mock_push_request_errors(mock_, kProduce, 1, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION);
  SendMany(100, 50);
  ASSERT_TRUE(Settled());
  EXPECT_EQ(acked_.size(), 5000u);
  ExpectInOrder();
}

TEST_F(ProducerTest, ThePartitionIsJavasMurmur2OfTheKey) {
  Open();
  // From Kafka's own UtilsTest: murmur2("21") = -973932308, murmur2("foobar") = -790332482,
  // murmur2("a-little-bit-long-string") = -985981536; the partition is (hash & 0x7fffffff) % 4.
  const std::vector<std::pair<std::string, int32_t>> known{
      {"21", (-973932308 & 0x7fffffff) % 4},
      {"foobar", (-790332482 & 0x7fffffff) % 4},
      {"a-little-bit-long-string", (-985981536 & 0x7fffffff) % 4}};
  for (const auto& [key, partition] : known) {
    acked_.clear();
    Send(key);
    ASSERT_TRUE(Settled());
    ASSERT_EQ(acked_.size(), 1u);
    EXPECT_EQ(acked_[0].first, partition) << key;
  }
}

TEST_F(ProducerTest,
       ABatchRefusedForItsSizeIsSentAgainOneByOneAndOnlyWhatIsRefusedAloneIsReported) {
  Open();
  // Two refusals: of the whole batch, then of the first record alone. librdkafka may cut the batch
  // into several requests, and both refusals hit those; then another batch is tried.
  std::string key = "first";
  Send(key);
  ASSERT_TRUE(Settled());
  for (int tries = 0; refused_.size() != 1 && tries < 10; ++tries) {
    refused_.clear();
    rd_kafka_mock_clear_request_errors(mock_, kProduce);  // of the try before
    // Until a client knows the topic's config, or the answer is late, records go one by one.
    bool late = false;
    const base::Timer end = loop_.After(std::chrono::seconds(1), [&] { late = true; });
    ASSERT_TRUE(test::RunUntil(loop_, [&] { return late; }));
    key = "key-" + std::to_string(tries);
    Send(key);  // the first record of a partition goes alone
    ASSERT_TRUE(Settled());
    rd_kafka_mock_push_request_errors(mock_, kProduce, 2, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
                                      RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    for (int n = 0; n < 50; ++n) Send(key);
    ASSERT_TRUE(Settled());
  }
  ASSERT_EQ(refused_.size(), 1u);
  EXPECT_EQ(refused_[0].reason, Reason::kTooLarge);
  EXPECT_FALSE(refused_[0].possibly_stored);
  std::vector<int> values;
  for (const auto& record : test::ReadTopic(broker_->bootstrap(), "t", kPartitions))
    if (record.key == key) values.push_back(std::stoi(record.value));
  EXPECT_EQ(values.size(), 50u);  // of 51
  EXPECT_TRUE(std::is_sorted(values.begin(), values.end()));
  EXPECT_EQ(std::count(values.begin(), values.end(), 1), 0);
}

TEST_F(ProducerTest, NoPermissionIsReportedAsSuchAndDoesNotStopOtherTopics) {
  Open();
  Send("warm-up");
  ASSERT_TRUE(Settled());
  rd_kafka_mock_push_request_errors(mock_, kProduce, 1,
                                    RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
  Send("key");
  ASSERT_TRUE(Settled());
  ASSERT_EQ(refused_.size(), 1u);
  EXPECT_EQ(refused_[0].reason, Reason::kUnauthorized);
  Send("key", "other");
  ASSERT_TRUE(Settled());
  EXPECT_EQ(refused_.size(), 1u);
}

TEST_F(ProducerTest, TooFewReplicasIsWaitedOut) {
  Open();
  rd_kafka_mock_push_request_errors(
      mock_, kProduce, 6, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
      RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
      RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
      RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS);
  for (int round = 0; round < 10; ++round) {
    SendOneToEach();
    ASSERT_TRUE(Settled());
  }
  EXPECT_TRUE(refused_.empty());
  ExpectInOrder(true);
}

TEST_F(ProducerTest, ATopicThatDoesNotComeIsReportedAsUnknownAfterItsTime) {
  ProducerOptions options;
  options.unknown_topic_after = std::chrono::milliseconds(300);
  Open(std::move(options));
  broker_->CreateTopic("missing", 1);
  rd_kafka_mock_topic_set_error(mock_, "missing", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
  Send("key", "missing");
  ASSERT_TRUE(Settled());
  ASSERT_EQ(refused_.size(), 1u);
  EXPECT_EQ(refused_[0].reason, Reason::kUnknownTopic);
  rd_kafka_mock_topic_set_error(mock_, "missing", RD_KAFKA_RESP_ERR_NO_ERROR);
  Send("key", "missing");
  ASSERT_TRUE(Settled());
  EXPECT_EQ(acked_.size(), 1u);
}

TEST_F(ProducerOnThreeBrokers, AMovedLeaderLosesNothing) {
  Open();
  constexpr int kMoves = 20;
  int moves = 0;
  base::Timer again;
  std::function<void()> move = [&] {
    for (int p = 0; p < kPartitions; ++p)
      rd_kafka_mock_partition_set_leader(mock_, "t", p, (moves + p) % 3 + 1);
    if (++moves < kMoves) again = loop_.After(std::chrono::milliseconds(20), move);
  };
  loop_.Post(move);
  ASSERT_TRUE(test::RunUntil(loop_, [&] {
    if (reported_ < sent_) return false;
    if (moves == kMoves && sent_ > 400) return true;
    SendOneToEach();
    return false;
  }));
  EXPECT_TRUE(refused_.empty());
  ExpectInOrder();
}

TEST_F(ProducerTest, ABrokerThatGoesAndComesLosesNothing) {
  Open();
  SendMany(20, 5);
  ASSERT_TRUE(Settled());
  rd_kafka_mock_broker_set_down(mock_, 1);
  SendMany(20, 20);
  ASSERT_TRUE(test::RunUntil(loop_, [&] { return !producer_->connection().connected; }));
  EXPECT_FALSE(producer_->connection().last_error.empty());
  rd_kafka_mock_broker_set_up(mock_, 1);
  ASSERT_TRUE(Settled());
  EXPECT_TRUE(producer_->connection().connected);
  EXPECT_TRUE(refused_.empty());
  ExpectInOrder(true);
}

TEST_F(ProducerTest, NoTopicTakesMoreThanHalfOfTheQueue) {
  rd_kafka_mock_broker_set_down(mock_, 1);
  ProducerOptions options;
  options.max_records = 100;
  Open(std::move(options));
  for (int n = 0; n < 60; ++n) Send("key");
  ASSERT_TRUE(test::RunUntil(loop_, [&] { return refused_.size() == 10; }));
  for (const auto& refusal : refused_) {
    EXPECT_EQ(refusal.reason, Reason::kQueueFull);
    EXPECT_FALSE(refusal.possibly_stored);
  }
  event::Record other;
  other.topic = "other";
  EXPECT_FALSE(producer_->Admit(other));
}

TEST_F(ProducerTest, TheBytesOfTheQueueAreThoseOfTheMemoryThatItTakes) {
  rd_kafka_mock_broker_set_down(mock_, 1);
  ProducerOptions options;
  options.max_bytes = 64 << 10;
  Open(std::move(options));
  // Of some bytes each, but nobody keeps one in less than half a kilobyte.
  for (int n = 0; n < 100; ++n) Send("key");
  ASSERT_TRUE(test::RunUntil(loop_, [&] { return refused_.size() >= 40; }));
  EXPECT_EQ(refused_.front().reason, Reason::kQueueFull);
  EXPECT_TRUE(refused_.front().memory);
  EXPECT_LE(producer_->waiting_bytes(), 32u << 10);
}

TEST_F(ProducerTest, WhatNeverFitsTheQueueIsTooLargeAndNotForLater) {
  ProducerOptions options;
  options.max_bytes = 64 << 10;
  Open(std::move(options));
  event::Record large;
  large.topic = "t";
  large.value = std::string(33 << 10, 'x');
  const auto refusal = producer_->Admit(large);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->reason, Reason::kTooLarge);
  EXPECT_TRUE(refusal->memory);
  EXPECT_FALSE(refusal->error.retryable);
  EXPECT_NE(refusal->error.message.find("32768"), std::string::npos) << refusal->error.message;
}

TEST_F(ProducerTest, ARecordOfHeadersAloneThatNeverFitsIsTooLargeToo) {
  ProducerOptions options;
  options.max_bytes = 64 << 10;
  Open(std::move(options));
  event::Record large;
  large.topic = "t";
  large.headers = {{"outrigger-error-body", std::string(33 << 10, 'x')}};
  std::optional<Refusal> refusal;
  producer_->Produce(std::move(large), [&](const Report& report, event::Record&) {
    if (!report) refusal = report.error();
  });
  ASSERT_TRUE(test::RunUntil(loop_, [&] { return refusal.has_value(); }));
  EXPECT_EQ(refusal->reason, Reason::kTooLarge);
  EXPECT_FALSE(refusal->error.retryable);
  EXPECT_EQ(producer_->waiting_records(), 0u);
}

TEST_F(ProducerTest, TopicsThatNobodyKnowsAreBounded) {
  rd_kafka_mock_broker_set_down(mock_, 1);
  Open();
  for (int n = 0; n < 5000; ++n) Send("key", "unknown-" + std::to_string(n));
  ASSERT_TRUE(test::RunUntil(loop_, [&] { return refused_.size() == 3000; }));
  EXPECT_EQ(producer_->topics(), 2000u);
  for (const auto& refusal : refused_) ASSERT_EQ(refusal.reason, Reason::kQueueFull);
}

TEST(ProducerWithAClockOfItsOwn, ForgetsTopicsThatNothingIsPublishedTo) {
  auto broker = std::move(*EmbeddedBroker::Start(1));
  broker->CreateTopic("busy", 1);
  broker->CreateTopic("idle", 1);
  base::ManualClock clock;
  base::Loop loop(clock.clock());
  ProducerOptions options;
  options.kafka.brokers = {broker->bootstrap()};
  const auto producer = std::move(*Producer::Create(loop, std::move(options)));
  const auto publish = [&](const std::string& topic) {
    event::Record record;
    record.topic = topic;
    bool acked = false;
    producer->Produce(std::move(record),
                      [&](const Report& report, event::Record&) { acked = report.has_value(); });
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!acked && std::chrono::steady_clock::now() < end) {
      loop.RunReady();
      loop.Advance(clock, std::chrono::milliseconds(1));
    }
    return acked;
  };
  ASSERT_TRUE(publish("idle"));
  for (int minute = 0; minute < 9; ++minute) {
    ASSERT_TRUE(publish("busy"));
    loop.Advance(clock, std::chrono::minutes(1));
  }
  EXPECT_EQ(producer->topics(), 2u);
  for (int minute = 0; minute < 9; ++minute) {
    ASSERT_TRUE(publish("busy"));
    loop.Advance(clock, std::chrono::minutes(1));
  }
  EXPECT_EQ(producer->topics(), 1u);
  EXPECT_TRUE(publish("idle")) << "it is found again";
}

TEST_F(ProducerTest, ATopicThatRefusesARecordForItsMissingKeyIsNotAskedAgainAtOnce) {
  Open();
  rd_kafka_mock_push_request_errors(mock_, kProduce, 1, RD_KAFKA_RESP_ERR_INVALID_RECORD);
  for (size_t n = 1; n <= 2; ++n) {
    event::Record record;
    record.topic = "t";
    std::optional<Refusal> refusal;
    producer_->Produce(std::move(record), [&](const Report& report, event::Record&) {
      if (!report) refusal = report.error();
    });
    ASSERT_TRUE(test::RunUntil(loop_, [&] { return refusal.has_value(); }));
    EXPECT_EQ(refusal->reason, Reason::kInvalid);
    EXPECT_NE(refusal->error.hint.find("key"), std::string::npos);
  }
  Send("key");
  ASSERT_TRUE(Settled());
  EXPECT_EQ(acked_.size(), 1u);
}

TEST_F(ProducerTest, ARefusedRecordComesBackAsItWasGiven) {
  Open();
  event::Record given;
  given.topic = "t";
  given.key = "key";
  given.value = "value";
  given.headers = {{"ce_id", "1"}, {"null", std::nullopt}};
  given.partition = kPartitions;  // which is not there
  std::optional<event::Record> back;
  producer_->Produce(given, [&back](const Report& report, event::Record& record) {
    if (!report) back = std::move(record);
  });
  ASSERT_TRUE(test::RunUntil(loop_, [&] { return back.has_value(); }));
  EXPECT_EQ(back->headers, given.headers);
  EXPECT_EQ(back->key, given.key);
  EXPECT_EQ(back->value, given.value);
}

TEST_F(ProducerTest, CloseReportsWhatCouldNotBeSentWithinItsBudget) {
  rd_kafka_mock_broker_set_down(mock_, 1);
  Open();
  SendMany(10, 1);
  bool closed = false;
  producer_->Close(std::chrono::milliseconds(100), [&] { closed = true; });
  ASSERT_TRUE(test::RunUntil(loop_, [&] { return closed; }));
  EXPECT_EQ(refused_.size(), 10u);
  for (const auto& refusal : refused_) EXPECT_EQ(refusal.reason, Reason::kTimeout);
}

TEST_F(ProducerTest, CloseWaitsForWhatKafkaTakes) {
  Open();
  SendMany(10, 100);
  bool closed = false;
  producer_->Close(std::chrono::seconds(20), [&] { closed = true; });
  ASSERT_TRUE(test::RunUntil(loop_, [&] { return closed; }));
  EXPECT_EQ(acked_.size(), 1000u);
}

TEST(ProducerWithoutABroker, AWrongPropertyIsAnErrorThatNamesIt) {
  base::Loop loop;
  ProducerOptions options;
  options.kafka.properties["no.such.property"] = {"1", {}, "kafka.properties"};
  const auto producer = Producer::Create(loop, std::move(options));
  ASSERT_FALSE(producer);
  EXPECT_NE(producer.error().message.find("no.such.property"), std::string::npos);
}

}  // namespace
}  // namespace outrigger::kafka
