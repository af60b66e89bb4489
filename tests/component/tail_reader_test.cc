// What Kafka has of a topic, read on the embedded broker. (It has no offsets of times: those are
// in the system tests.)
#include "kafka/tail_reader.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "support/producer_fixture.h"

namespace outrigger::kafka {
namespace {

class TailReaderTest : public ProducerTest {
 protected:
  Tail Read(TailReader::Limits limits, const std::vector<std::string>& topics = {"t"}) {
    config::Kafka kafka;
    kafka.brokers = {broker_->bootstrap()};
    TailReader reader(loop_, kafka, limits);
    std::optional<Tail> tail;
    reader.Read({topics, 0}, [&](Tail read) { tail = std::move(read); });
    EXPECT_TRUE(test::RunUntil(loop_, [&] { return tail.has_value(); }));
    return tail.value_or(Tail{});
  }
  void Write(int count) {
    Open();
    for (int n = 0; n < count; ++n) {
      event::Record record;
      record.topic = "t";
      record.key = "k" + std::to_string(n);
      record.value = std::to_string(n);
      record.headers = {{"ce_id", std::to_string(n)}, {"none", std::nullopt}};
      const auto digest = event::DigestOf(record);
      producer_->Produce(std::move(record), [this, digest](const Report& report, event::Record&) {
        written_.push_back({digest, *report});
      });
    }
    const auto all = static_cast<size_t>(count);
    EXPECT_TRUE(test::RunUntil(loop_, [&] { return written_.size() == all; }));
    std::sort(written_.begin(), written_.end());
  }
  static std::vector<TailRecord> Sorted(Tail tail) {
    std::sort(tail.records.begin(), tail.records.end());
    return tail.records;
  }

  static constexpr TailReader::Limits kPatient{100'000, std::chrono::seconds(20)};
  std::vector<TailRecord> written_;
};

TEST_F(TailReaderTest, ReadsEveryPartitionToItsEndAndKnowsEachRecordAgain) {
  Write(2000);
  const Tail tail = Read(kPatient);
  EXPECT_TRUE(tail.whole);
  EXPECT_EQ(tail.error, "");
  EXPECT_EQ(Sorted(tail), written_);
}

TEST_F(TailReaderTest, OfEachPartitionItReadsTheLastRecordsThatTheLimitAllows) {
  Write(400);
  const Tail tail = Read({40, std::chrono::seconds(20)});
  EXPECT_EQ(tail.records.size(), 40u);
  for (int32_t partition = 0; partition < kPartitions; ++partition) {
    std::vector<int64_t> all, read;
    for (const auto& record : written_)
      if (record.where.partition == partition) all.push_back(record.where.offset);
    for (const auto& record : tail.records)
      if (record.where.partition == partition) read.push_back(record.where.offset);
    std::sort(all.begin(), all.end());
    EXPECT_EQ(read, std::vector<int64_t>(all.end() - 10, all.end()));
  }
}

TEST_F(TailReaderTest, APartitionWithoutALeaderKeepsTheOthersWaitingForHalfOfTheTime) {
  Write(400);
  rd_kafka_mock_partition_set_leader(mock_, "t", 0, -1);
  const Tail tail = Read({1000, std::chrono::seconds(4)});
  EXPECT_THAT(tail.error, testing::HasSubstr("t: "));
  std::erase_if(written_, [](const TailRecord& record) { return record.where.partition == 0; });
  EXPECT_EQ(Sorted(tail), written_);
}

TEST_F(TailReaderTest, AnEmptyTopicHasNothingToRead) {
  const Tail tail = Read(kPatient);
  EXPECT_TRUE(tail.whole);
  EXPECT_EQ(tail.error, "");
  EXPECT_TRUE(tail.records.empty());
}

TEST_F(TailReaderTest, WithoutABrokerItIsOverWhenItsTimeIs) {
  rd_kafka_mock_broker_set_down(mock_, 1);
  const Tail tail = Read({1000, std::chrono::milliseconds(300)});
  EXPECT_FALSE(tail.whole);
  EXPECT_NE(tail.error, "");
}

TEST_F(TailReaderTest, ATopicThatMayNotBeReadIsNamed) {
  Write(10);
  rd_kafka_mock_topic_set_error(mock_, "t", RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
  const Tail tail = Read(kPatient);
  EXPECT_EQ(tail.denied, "t");
  EXPECT_THAT(tail.error, testing::HasSubstr("t: "));
}

TEST_F(TailReaderTest, ItsEndStopsTheReading) {
  rd_kafka_mock_broker_set_down(mock_, 1);
  config::Kafka kafka;
  kafka.brokers = {broker_->bootstrap()};
  const auto began = loop_.Now();
  {
    TailReader reader(loop_, kafka, {1000, std::chrono::hours(1)});
    reader.Read({{"t"}, 0}, [](const Tail&) { ADD_FAILURE() << "nobody listens any more"; });
  }
  EXPECT_LT(loop_.Now() - began, std::chrono::seconds(20));
}

}  // namespace
}  // namespace outrigger::kafka
