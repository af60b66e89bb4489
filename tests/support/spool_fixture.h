// Publisher, spool, store and producer together, on an embedded broker that can be slow or away.
#pragma once

#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <atomic>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/load.h"
#include "kafka/embedded.h"
#include "kafka/producer.h"
#include "publish/publisher.h"
#include "publish/spool.h"
#include "support/embedded_records.h"
#include "support/on_loop.h"

namespace outrigger::publish {

using Decided = std::shared_ptr<std::optional<Outcome>>;

class SpoolFixture : public testing::Test {
 protected:
  SpoolFixture() {
    char folder[] = "/tmp/outrigger-spool-XXXXXX";
    folder_ = mkdtemp(folder);
    broker_ = std::move(*kafka::EmbeddedBroker::Start());
    mock_ = static_cast<rd_kafka_mock_cluster_t*>(broker_->native_handle());
    Start();
  }
  ~SpoolFixture() override {
    Kill();
    std::filesystem::remove_all(folder_);
  }

  void Start(uint64_t max_bytes = 1 << 30, kafka::ReadTail read_tail = nullptr) {
    kafka::ProducerOptions options;
    options.kafka.brokers = {broker_->bootstrap()};
    producer_ = std::move(*kafka::Producer::Create(loop_, std::move(options)));
    auto store =
        store::Store::Open(loop_, {folder_, max_bytes, [this](base::Duration) { ++commits_; }});
    ASSERT_TRUE(store) << store.error().message;
    store_ = std::move(*store);
    spool_ = std::make_unique<Spool>(
        loop_, producer_->sink(), *store_, spool_metrics_,
        SpoolOptions{.after = std::chrono::milliseconds(50), .max_bytes = max_bytes},
        std::move(read_tail));
    producer_->OnConnectionChange([this](const auto&) { spool_->OnConnectionChange(); });
    publisher_ = std::make_unique<Publisher>(loop_, producer_->sink(), spool_.get(), metrics_,
                                             PublisherOptions{.source = "test"});
    auto loaded = config::LoadText(
        "apiVersion: outrigger/v1\nkind: Sidecar\nroutes:\n"
        "  - {match: {type: 'a.*'}, topic: first, key: data.k, deadLetter: dead_letters}\n"
        "  - {match: {type: 'b.*'}, topic: second, key: data.k}\n"
        "  - {match: {type: raw}, topic: keyless}\n",
        "test.yaml", [](const char*) { return std::nullopt; });
    publisher_->SetRoutes(Routes::Build(loaded.config, loaded.problems));
  }
  // As a crash would: nothing is finished.
  void Kill() {
    publisher_.reset();
    spool_.reset();
    store_.reset();
    producer_.reset();
  }

  Decided Publish(const std::string& type, const std::string& key, const std::string& value,
                  const std::string& id = {}, const Ask& ask = {}) {
    event::Event event;
    event.type = type;
    event.id = id;
    event.data = "{\"k\":\"" + key + "\",\"v\":\"" + value + "\"}";
    event.data_is_json = true;
    event.datacontenttype = "application/json";
    auto outcome = std::make_shared<std::optional<Outcome>>();
    publisher_->Publish(std::move(event), ask, [outcome](const Outcome& decided) {
      EXPECT_FALSE(*outcome) << "decided twice";
      *outcome = decided;
    });
    return outcome;
  }
  Outcome Await(const Decided& outcome) {
    EXPECT_TRUE(test::RunUntil(loop_, [&] { return outcome->has_value(); }));
    return outcome->value_or(Outcome{});
  }
  bool AwaitDrained() {
    return test::RunUntil(loop_, [&] { return spool_->records() == 0; });
  }
  void BrokerDown() { rd_kafka_mock_broker_set_down(mock_, 1); }
  void BrokerUp() { rd_kafka_mock_broker_set_up(mock_, 1); }
  void SlowBroker(int milliseconds) { rd_kafka_mock_broker_set_rtt(mock_, 1, milliseconds); }

  // The values of each key, in the order in which Kafka has them.
  std::map<std::string, std::vector<std::string>> Values(const std::string& topic) {
    std::map<std::string, std::vector<std::string>> values;
    for (const auto& record : test::ReadTopic(broker_->bootstrap(), topic, 4)) {
      const size_t at = record.value.find("\"v\":\"");
      values[record.key].push_back(at == std::string::npos
                                       ? record.value
                                       : record.value.substr(at + 5, record.value.size() - at - 7));
    }
    return values;
  }

  base::Loop loop_;
  telemetry::Metrics metrics_;
  const telemetry::SpoolMetrics spool_metrics_ = metrics_.Spool();
  std::atomic<int> commits_ = 0;
  std::string folder_;
  std::unique_ptr<kafka::EmbeddedBroker> broker_;
  rd_kafka_mock_cluster_t* mock_ = nullptr;
  std::unique_ptr<kafka::Producer> producer_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Spool> spool_;
  std::unique_ptr<Publisher> publisher_;
};

}  // namespace outrigger::publish
