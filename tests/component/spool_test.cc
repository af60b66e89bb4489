// Publisher, spool, store and producer together on the embedded broker: what a 202 promises.
#include "support/spool_fixture.h"

#include <gmock/gmock.h>

#include "publish/answer.h"

namespace outrigger::publish {
namespace {

using testing::ElementsAre;
using SpoolTest = SpoolFixture;

constexpr int kProduce = 0;  // ApiKey of ProduceRequest

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
  EXPECT_THAT(metrics_.Text(), testing::HasSubstr("outrigger_spool_latency_seconds_count 1"));
}

TEST_F(SpoolTest, HoweverLittleMemoryThereIsOneEventMayBeOnItsWayToTheDisk) {
  spool_->SetOptions({.max_putting = 1});
  const auto first = Publish("a.x", "k", "1", {}, {.ack = config::Ack::kDisk});
  const auto second = Publish("a.x", "k", "2", {}, {.ack = config::Ack::kDisk});
  EXPECT_EQ(StatusOf(Await(second)), 503);
  EXPECT_EQ(StatusOf(Await(first)), 202);
  EXPECT_EQ(StatusOf(Await(Publish("a.x", "k", "3", {}, {.ack = config::Ack::kDisk}))), 202);
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
