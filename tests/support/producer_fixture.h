// A producer on an embedded broker, what was sent by it and what became of that.
#pragma once

#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kafka/embedded.h"
#include "kafka/producer.h"
#include "support/embedded_records.h"
#include "support/on_loop.h"

namespace outrigger::kafka {

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

  // The records of each key are in Kafka once, in the order sent; a record may be there twice after
  // a rebuild, but never before an older one's first.
  void ExpectInOrder(bool duplicates_allowed = false, int partitions = kPartitions) {
    std::map<std::string, int> next;
    for (const auto& record : test::ReadTopic(broker_->bootstrap(), "t", partitions)) {
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

}  // namespace outrigger::kafka
