// Publisher, spool, store and producer together on the embedded broker: what a 202 promises.
#include "publish/spool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <atomic>
#include <filesystem>
#include <map>
#include <random>

#include "config/load.h"
#include "kafka/embedded.h"
#include "kafka/producer.h"
#include "publish/answer.h"
#include "publish/publisher.h"
#include "support/embedded_records.h"
#include "support/on_loop.h"

namespace outrigger::publish {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using Decided = std::shared_ptr<std::optional<Outcome>>;

constexpr int kProduce = 0;  // ApiKey of ProduceRequest
constexpr int kPartitions = 4;

class SpoolTest : public testing::Test {
 protected:
  SpoolTest() {
    char folder[] = "/tmp/outrigger-spool-XXXXXX";
    folder_ = mkdtemp(folder);
    broker_ = std::move(*kafka::EmbeddedBroker::Start());
    mock_ = static_cast<rd_kafka_mock_cluster_t*>(broker_->native_handle());
    Start();
  }
  ~SpoolTest() override {
    Kill();
    std::filesystem::remove_all(folder_);
  }

  void Start(uint64_t max_bytes = 1 << 30) {
    kafka::ProducerOptions options;
    options.kafka.brokers = {broker_->bootstrap()};
    producer_ = std::move(*kafka::Producer::Create(loop_, std::move(options)));
    auto store =
        store::Store::Open(loop_, {folder_, max_bytes, [this](base::Duration) { ++commits_; }});
    ASSERT_TRUE(store) << store.error().message;
    store_ = std::move(*store);
    spool_ =
        std::make_unique<Spool>(loop_, producer_->sink(), *store_, spool_metrics_,
                                SpoolOptions{.after = milliseconds(50), .max_bytes = max_bytes});
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
    for (const auto& record : test::ReadTopic(broker_->bootstrap(), topic, kPartitions)) {
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

TEST_F(SpoolTest, WhileKafkaAcknowledgesInTimeTheDiskIsNotTouched) {
  // A busy machine's broker is slow too.
  spool_->SetOptions({.after = std::chrono::seconds(20)});
  for (int i = 0; i < 50; ++i)
    EXPECT_EQ(StatusOf(Await(Publish("a.x", "k", std::to_string(i)))), 200);
  EXPECT_EQ(commits_, 0);
}

TEST_F(SpoolTest, ALateEventIsAnswered202AndComesToKafkaOnce) {
  Await(Publish("a.warm-up", "k", "0"));
  SlowBroker(1000);
  const Outcome outcome = Await(Publish("a.x", "k", "1", "the/id"));
  EXPECT_EQ(StatusOf(outcome), 202);
  const http::Response answer = ToResponse(outcome);
  EXPECT_EQ(answer.headers.front(),
            (std::pair<std::string, std::string>("Location", "/v1/events/the%2Fid")));
  EXPECT_EQ(answer.body, R"({"id":"the/id","status":"spooled","topic":"first"})");
  SlowBroker(0);
  EXPECT_TRUE(AwaitDrained());
  EXPECT_THAT(Values("first")["k"], ElementsAre("0", "1"));
}

TEST_F(SpoolTest, EventsOfAnOutageComeInTheOrderOfTheirKeys) {
  BrokerDown();
  std::vector<Decided> outcomes;
  for (int i = 0; i < 40; ++i) {
    outcomes.push_back(Publish("a.x", i % 2 ? "odd" : "even", std::to_string(i)));
    if (i % 10 == 9) {
      EXPECT_EQ(StatusOf(Await(outcomes.back())), 202);
    }
  }
  for (const auto& outcome : outcomes) EXPECT_EQ(StatusOf(Await(outcome)), 202);
  EXPECT_EQ(spool_->records(), 40u);
  BrokerUp();
  EXPECT_TRUE(AwaitDrained());
  auto values = Values("first");
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(values["even"].at(i), std::to_string(2 * i));
    EXPECT_EQ(values["odd"].at(i), std::to_string(2 * i + 1));
  }
  EXPECT_EQ(values["even"].size(), 20u);
  EXPECT_EQ(values["odd"].size(), 20u);
}

TEST_F(SpoolTest, WhatBecameOfAnEventIsKnownByItsIdAlsoAfterACrash) {
  const auto find = [this](const std::string& id) {
    auto found = std::make_shared<std::optional<Outcome>>();
    publisher_->Find(id, [found](const Outcome& outcome) { *found = outcome; });
    return Await(found).targets;
  };
  BrokerDown();
  Await(Publish("a.x", "k", "1", "mine"));
  const std::string given = Await(Publish("a.x", "k", "2")).id;
  EXPECT_EQ(find("mine").at(0).status, Target::Status::kSpooled);
  EXPECT_EQ(find(given).at(0).status, Target::Status::kSpooled);
  EXPECT_TRUE(find("another").empty());
  Kill();
  Start();
  EXPECT_EQ(find("mine").at(0).status, Target::Status::kSpooled);
  EXPECT_EQ(find(given).at(0).status, Target::Status::kSpooled);
  BrokerUp();
  EXPECT_TRUE(AwaitDrained());
  for (const std::string& id : {std::string("mine"), given}) {
    const auto targets = find(id);
    EXPECT_EQ(targets.at(0).status, Target::Status::kAcked);
    EXPECT_EQ(targets.at(0).offset, id == "mine" ? 0 : 1);
  }
}

// A fingerprint is compared with that of an earlier run, which another build may have made.
TEST(Fingerprints, AreThoseOfEveryBuild) {
  EXPECT_EQ(std::hash<std::string_view>()("outrigger"), 11740550210023425607U);
}

TEST_F(SpoolTest, AfterAPauseEventsGoStraightToKafkaAgain) {
  Await(Publish("a.warm-up", "k", "0"));
  SlowBroker(300);
  EXPECT_EQ(StatusOf(Await(Publish("a.x", "k", "1"))), 202);
  SlowBroker(0);
  EXPECT_TRUE(AwaitDrained());
  spool_->SetOptions({.after = std::chrono::seconds(20)});
  const int commits = commits_;
  for (int i = 2; i < 20; ++i)
    EXPECT_EQ(StatusOf(Await(Publish("a.x", "k", std::to_string(i)))), 200);
  EXPECT_LE(commits_, commits + 1) << "but for the removal of what was spooled";
}

TEST_F(SpoolTest, WhatWasAnswered202ComesToKafkaAfterACrash) {
  BrokerDown();
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(StatusOf(Await(Publish("a.x", "k", std::to_string(i)))), 202);
  Kill();
  Start();
  EXPECT_EQ(spool_->records(), 10u);
  const auto later = Publish("a.x", "k", "10");
  BrokerUp();
  EXPECT_LT(StatusOf(Await(later)), 300);
  EXPECT_TRUE(AwaitDrained());
  EXPECT_THAT(Values("first")["k"],
              ElementsAre("0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"));
}

TEST_F(SpoolTest, ARepeatOfAnEventInTheSpoolIsAnswered202AndIsOneRecordAfterACrashToo) {
  BrokerDown();
  EXPECT_EQ(StatusOf(Await(Publish("a.x", "k", "1", "id"))), 202);
  EXPECT_EQ(StatusOf(Await(Publish("a.x", "k", "1", "id"))), 202);
  EXPECT_EQ(StatusOf(Await(Publish("a.x", "k", "other", "id"))), 409);
  Kill();
  Start();
  EXPECT_EQ(StatusOf(Await(Publish("a.x", "k", "1", "id"))), 202);
  Kill();
  Start();
  EXPECT_EQ(StatusOf(Await(Publish("a.x", "k", "other", "id"))), 409);
  BrokerUp();
  EXPECT_TRUE(AwaitDrained());
  EXPECT_THAT(Values("first")["k"], ElementsAre("1"));
}

TEST_F(SpoolTest, ARepeatWithoutAKeyIsOneRecordAfterACrashToo) {
  const auto publish = [this] {
    event::Event event;
    event.type = "raw";
    event.id = "id";
    event.data = "{}";
    auto outcome = std::make_shared<std::optional<Outcome>>();
    publisher_->Publish(std::move(event), {},
                        [outcome](const Outcome& decided) { *outcome = decided; });
    return Await(outcome);
  };
  BrokerDown();
  EXPECT_EQ(StatusOf(publish()), 202);
  Kill();
  Start();
  EXPECT_EQ(StatusOf(publish()), 202);
  BrokerUp();
  EXPECT_TRUE(AwaitDrained());
  EXPECT_THAT(Values("keyless")[""], ElementsAre("{}"));
}

TEST_F(SpoolTest, AFatalErrorOfTheClientLosesNothingAndDoublesNothing) {
  Await(Publish("a.warm-up", "k", "0"));
  BrokerDown();
  for (int i = 1; i <= 10; ++i)
    EXPECT_EQ(StatusOf(Await(Publish("a.x", "k", std::to_string(i)))), 202);
  rd_kafka_test_fatal_error(static_cast<rd_kafka_t*>(producer_->native_handle()),
                            RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, "test");
  EXPECT_TRUE(test::RunUntil(loop_, [&] { return producer_->rebuilds() == 1; }));
  EXPECT_EQ(StatusOf(Await(Publish("a.x", "k", "11"))), 202);
  BrokerUp();
  EXPECT_TRUE(AwaitDrained());
  EXPECT_THAT(Values("first")["k"],
              ElementsAre("0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"));
}

TEST_F(SpoolTest, WithAckDiskTheAnswerIs202AndTheEventComesToKafka) {
  EXPECT_EQ(StatusOf(Await(Publish("a.x", "k", "1", {}, {.ack = config::Ack::kDisk}))), 202);
  EXPECT_TRUE(AwaitDrained());
  EXPECT_THAT(Values("first")["k"], ElementsAre("1"));
}

TEST_F(SpoolTest, WhatKafkaRejectsIsDeadLetteredOrQuarantinedAndLaterEventsGoOn) {
  BrokerDown();
  for (const char* type : {"a.x", "b.x"})
    for (const char* value : {"1", "2"}) EXPECT_EQ(StatusOf(Await(Publish(type, "k", value))), 202);
  for (int i = 0; i < 4; ++i)
    rd_kafka_mock_push_request_errors(mock_, kProduce, 1, RD_KAFKA_RESP_ERR_INVALID_RECORD);
  BrokerUp();
  EXPECT_TRUE(AwaitDrained());
  const auto count = [this] {
    size_t sum = 0;
    for (const char* topic : {"first", "second", "dead_letters"})
      for (const auto& [key, values] : Values(topic)) sum += values.size();
    return sum;
  };
  EXPECT_EQ(count() + spool_->quarantined(), 4u);
  EXPECT_LT(Values("first")["k"].size() + Values("second")["k"].size(), 4u);
}

}  // namespace
}  // namespace outrigger::publish
