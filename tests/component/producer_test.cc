// The producer on the embedded broker, with the faults that librdkafka's mock cluster can play.
#include "kafka/producer.h"

#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <map>
#include <set>

#include "kafka/embedded.h"
#include "support/embedded_records.h"
#include "support/on_loop.h"

namespace outrigger::kafka {
namespace {

constexpr int kProduce = 0;  // ApiKey of ProduceRequest
constexpr int kPartitions = 4;

class ProducerTest : public testing::Test {
 protected:
  explicit ProducerTest(int brokers = 1) {
    broker_ = std::move(*EmbeddedBroker::Start(brokers));
    mock_ = static_cast<rd_kafka_mock_cluster_t*>(broker_->native_handle());
    broker_->CreateTopic("t", kPartitions, brokers);
  }
  ~ProducerTest() override { producer_.reset(); }

  void Open(ProducerOptions options = {}) {
    options.kafka.brokers = {broker_->bootstrap()};
    producer_ = std::move(*Producer::Create(loop_, std::move(options)));
  }

  // The value says which of its key's records it is.
  void Send(const std::string& key, const std::string& topic = "t", int32_t partition = -1) {
    event::Record record;
    record.topic = topic;
    record.key = key;
    record.partition = partition;
    record.value = std::to_string(sent_of_[key]++);
    ++sent_;
    producer_->Produce(std::move(record), [this, key, topic](const Report& report, event::Record&) {
      ++reported_;
      if (!report) return refused_.push_back(report.error());
      acked_.emplace_back(report->partition, report->offset);
    });
  }
  void SendMany(int keys, int each) {
    for (int n = 0; n < each; ++n)
      for (int k = 0; k < keys; ++k) Send("key-" + std::to_string(k));
  }

  // One record of each partition at a time. For faults between requests: the embedded broker does
  // not check sequence numbers, on which librdkafka relies when it has cut a batch into several
  // requests.
  void SendOneToEach() {
    for (int32_t p = 0; p < kPartitions; ++p) Send("of-" + std::to_string(p), "t", p);
  }

  // All that was sent is reported.
  bool Settled() {
    return test::RunUntil(loop_, [this] { return reported_ == sent_; });
  }

  // Each key's records stand in Kafka once, in the order sent; a record may stand twice after a
  // rebuild, but never before an older one's first.
  void ExpectInOrder(bool duplicates_allowed = false) {
    std::map<std::string, int> next;
    for (const auto& record : test::ReadTopic(broker_->bootstrap(), "t", kPartitions)) {
      const int number = std::stoi(record.value);
      if (duplicates_allowed && number < next[record.key]) continue;
      ASSERT_EQ(number, next[record.key]++) << "key " << record.key;
    }
    for (const auto& [key, count] : sent_of_) EXPECT_EQ(next[key], count) << key;
  }

  base::Loop loop_;
  std::unique_ptr<EmbeddedBroker> broker_;
  rd_kafka_mock_cluster_t* mock_ = nullptr;
  std::unique_ptr<Producer> producer_;
  std::map<std::string, int> sent_of_;
  size_t sent_ = 0, reported_ = 0;
  std::vector<Refusal> refused_;
  std::vector<std::pair<int32_t, int64_t>> acked_;
};

class ProducerOnThreeBrokers : public ProducerTest {
 protected:
  ProducerOnThreeBrokers() : ProducerTest(3) {}
};

TEST_F(ProducerTest, EveryRecordIsAckedOnceAndStandsInOrderOfItsKey) {
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
  // in two, and both refusals hit it; then another batch is tried.
  std::string key;
  for (int tries = 0; refused_.empty() && tries < 20; ++tries) {
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

TEST_F(ProducerTest, AfterAFatalErrorTheHandleIsNewAndWhatWasNotAckedIsSentAgain) {
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

TEST_F(ProducerOnThreeBrokers, AMovedLeaderCostsNothing) {
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
  EXPECT_FALSE(refusal->error.retryable);
  EXPECT_NE(refusal->error.message.find("32768"), std::string::npos) << refusal->error.message;
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
