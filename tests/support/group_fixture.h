// A group on the embedded broker, and its app on the same loop.
#pragma once

#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "deliver/group.h"
#include "http/server.h"
#include "kafka/embedded.h"
#include "kafka/producer.h"
#include "kafka/topic_identity.h"
#include "support/on_loop.h"

namespace outrigger::test {

class GroupFixture : public testing::Test {
 protected:
  GroupFixture()
      : broker_(std::move(*kafka::EmbeddedBroker::Start(1))), conditions_(base::Clock::System()) {
    mock_ = static_cast<rd_kafka_mock_cluster_t*>(broker_->native_handle());
    rd_kafka_mock_group_initial_rebalance_delay_ms(mock_, 0);
    broker_->CreateTopic("one", 1);
    kafka_.brokers = {broker_->bootstrap()};
    // The embedded broker lets a group wait for session.timeout.ms less a second before it shares
    // the partitions out again.
    kafka_.consumer_properties["session.timeout.ms"] = {"1500", {}, "test"};
    kafka_.consumer_properties["heartbeat.interval.ms"] = {"100", {}, "test"};
    producer_ = std::move(*kafka::Producer::Create(loop_, {.kafka = kafka_}));
    http::Handler handler;
    handler.on_head = [](const std::shared_ptr<http::Request>&) { return http::Plan(); };
    handler.on_request = [this](const std::shared_ptr<http::Request>& request) {
      calls_.push_back(request);
      if (answering_) request->Answer(answer_to_ ? answer_to_(*request) : answer_);
    };
    app_ = std::make_unique<http::Server>(loop_, http::Limits(), std::move(handler));
    port_ = *app_->ListenTcp("127.0.0.1:0");
    config_.name = "s";
    config_.group = "g";
    config_.topics = {{"one", {}, "test"}};
    config_.deliver.url = {"http://127.0.0.1:" + std::to_string(port_) + "/h", {}, "test"};
    config_.deliver.timeout = std::chrono::seconds(30);
  }

  std::unique_ptr<deliver::Group> Start() { return Start({config_}); }
  std::unique_ptr<deliver::Group> Start(std::vector<config::Subscription> subscriptions) {
    auto created = deliver::Group::Create({.loop = loop_,
                                           .kafka = kafka_,
                                           .sink = sink_,
                                           .metrics = metrics_,
                                           .conditions = conditions_,
                                           .options = Options(std::move(subscriptions))});
    EXPECT_TRUE(created);
    return created ? std::move(*created) : nullptr;
  }

  deliver::GroupOptions Options(std::vector<config::Subscription> subscriptions) const {
    return {std::move(subscriptions), drain_, max_waiting_bytes_};
  }

  void Send(int count, const std::string& topic = "one", int32_t partition = 0) {
    int waiting = count;
    for (int n = 0; n < count; ++n) {
      event::Record record;
      record.topic = topic;
      record.partition = partition;
      record.value = "{}";
      producer_->Produce(std::move(record),
                         [&waiting](const kafka::Report& report, event::Record&) {
                           EXPECT_TRUE(report);
                           --waiting;
                         });
    }
    ASSERT_TRUE(Until([&] { return waiting == 0; }));
  }

  void SendRecord(event::Record record) {
    bool sent = false;
    if (record.topic.empty()) record.topic = "one";
    record.partition = 0;
    producer_->Produce(std::move(record), [&sent](const kafka::Report& report, event::Record&) {
      EXPECT_TRUE(report);
      sent = true;
    });
    ASSERT_TRUE(Until([&] { return sent; }));
  }

  bool Until(const std::function<bool()>& truth,
             std::chrono::seconds within = std::chrono::seconds(20)) {
    return RunUntil(loop_, truth, within);
  }
  // The loop runs for `time`; for what must not happen.
  void Pass(std::chrono::milliseconds time) {
    const auto end = loop_.Now() + time;
    Until([&] { return loop_.Now() > end; });
  }

  // What the group has committed; below 0: nothing. `metadata` is what travels with it.
  int64_t Committed(const std::string& topic = "one", int32_t partition = 0,
                    std::string* metadata = nullptr) {
    if (!asker_) {
      char reason[256];
      rd_kafka_conf_t* conf = rd_kafka_conf_new();
      rd_kafka_conf_set(conf, "bootstrap.servers", broker_->bootstrap().c_str(), reason, 256);
      rd_kafka_conf_set(conf, "group.id", config_.group.c_str(), reason, 256);
      asker_.reset(rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason, 256));
    }
    const kafka::PartitionList list = kafka::ToList({{topic, partition}});
    EXPECT_EQ(rd_kafka_committed(asker_.get(), list.get(), 5000), RD_KAFKA_RESP_ERR_NO_ERROR);
    const rd_kafka_topic_partition_t& at = list->elems[0];
    if (metadata)
      *metadata = kafka::Untagged({static_cast<const char*>(at.metadata), at.metadata_size}).second;
    return at.offset;
  }

  // The value of the first series that begins so; -1: there is none.
  double Gauge(const std::string& name) const {
    const std::string text = "\n" + metrics_.Text();
    const size_t at = text.find("\n" + name);
    if (at == std::string::npos) return -1;
    const size_t value = text.find("} ", at);
    return std::stod(text.substr(value + 2));
  }
  telemetry::Condition State() { return conditions_.Get("Delivering/s"); }

  base::Loop loop_;
  std::unique_ptr<kafka::EmbeddedBroker> broker_;
  rd_kafka_mock_cluster_t* mock_ = nullptr;
  config::Kafka kafka_;
  config::Subscription config_;
  size_t max_waiting_bytes_ = 32 << 20;
  base::Duration drain_ = std::chrono::seconds(5);
  kafka::RecordSink sink_{.send = [](event::Record, kafka::OnReport) { return nullptr; }};
  telemetry::Metrics metrics_;
  telemetry::Conditions conditions_;
  std::unique_ptr<kafka::Producer> producer_;
  std::vector<std::shared_ptr<http::Request>> calls_;
  bool answering_ = true;
  http::Response answer_;
  // Set: instead of answer_.
  std::function<http::Response(const http::Request&)> answer_to_;
  std::unique_ptr<http::Server> app_;
  uint16_t port_ = 0;
  kafka::Owned<rd_kafka_t> asker_;
};

}  // namespace outrigger::test
