// Routes, publisher and producer together on the embedded broker: what an answer promises while
// Kafka is away, slow or refuses.
#include "publish/publisher.h"
#include "kafka/producer.h"

#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "config/load.h"
#include "kafka/embedded.h"
#include "publish/answer.h"
#include "support/embedded_records.h"
#include "support/on_loop.h"

namespace outrigger::publish {
namespace {

constexpr int kProduce = 0;  // ApiKey of ProduceRequest

class PublisherTest : public testing::Test {
 protected:
  PublisherTest() {
    broker_ = std::move(*kafka::EmbeddedBroker::Start());
    mock_ = static_cast<rd_kafka_mock_cluster_t*>(broker_->native_handle());
    kafka::ProducerOptions options;
    options.kafka.brokers = {broker_->bootstrap()};
    producer_ = std::move(*kafka::Producer::Create(loop_, std::move(options)));
    publisher_ =
        std::make_unique<Publisher>(loop_, producer_->sink(), nullptr, metrics_, Options());
    SetRoutes(
        "  - {match: {type: 'a.*'}, topic: first, key: data.k, continue: true, deadLetter: "
        "dead_letters}\n"
        "  - {match: {type: 'a.both'}, topic: second}\n"
        "  - {match: {type: 'b.*'}, topic: first, key: data.k}\n");
  }

  static PublisherOptions Options() {
    PublisherOptions options;
    options.source = "test";
    // A busy machine's broker is slow too: only what a test makes slow may be answered for it.
    options.ack_timeout = std::chrono::seconds(25);
    options.away_after = std::chrono::seconds(25);
    return options;
  }
  void BeImpatient() {
    PublisherOptions options = Options();
    options.ack_timeout = std::chrono::milliseconds(300);
    options.away_after = std::chrono::milliseconds(200);
    publisher_->SetOptions(options);
  }

  void SetRoutes(const std::string& routes) {
    auto loaded = config::LoadText("apiVersion: outrigger/v1\nkind: Sidecar\nroutes:\n" + routes,
                                   "test.yaml", [](const char*) { return std::nullopt; });
    publisher_->SetRoutes(Routes::Build(loaded.config, loaded.problems));
    ASSERT_TRUE(loaded.ok()) << loaded.problems.front().text();
  }

  // The outcome lands in the returned place.
  std::shared_ptr<std::optional<Outcome>> Publish(const std::string& type, const std::string& id,
                                                  const std::string& data = R"({"k":"key"})",
                                                  const Ask& ask = {}) {
    event::Event event;
    event.type = type;
    event.id = id;
    event.data = data;
    event.data_is_json = true;
    event.datacontenttype = "application/json";
    auto outcome = std::make_shared<std::optional<Outcome>>();
    publisher_->Publish(std::move(event), ask, [outcome](const Outcome& decided) {
      EXPECT_FALSE(*outcome) << "decided twice";
      *outcome = decided;
    });
    return outcome;
  }
  Outcome Await(const std::shared_ptr<std::optional<Outcome>>& outcome) {
    EXPECT_TRUE(test::RunUntil(loop_, [&] { return outcome->has_value(); }));
    return outcome->value_or(Outcome{});
  }
  std::vector<std::string> Values(const std::string& topic) {
    std::vector<std::string> values;
    for (const auto& record : test::ReadTopic(broker_->bootstrap(), topic, 4))
      values.push_back(record.value);
    return values;
  }
  // A request to the broker that is answered after so long.
  void SlowBroker(int milliseconds) { rd_kafka_mock_broker_set_rtt(mock_, 1, milliseconds); }

  base::Loop loop_;
  telemetry::Metrics metrics_;
  std::unique_ptr<kafka::EmbeddedBroker> broker_;
  rd_kafka_mock_cluster_t* mock_ = nullptr;
  std::unique_ptr<kafka::Producer> producer_;
  std::unique_ptr<Publisher> publisher_;
};

TEST_F(PublisherTest, AnAckedEventIsWhereItsAnswerSays) {
  const Outcome outcome = Await(Publish("a.x", "1"));
  ASSERT_EQ(StatusOf(outcome), 200);
  const auto records = test::ReadTopic(broker_->bootstrap(), "first", 4);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].partition, outcome.targets[0].partition);
  EXPECT_EQ(records[0].offset, outcome.targets[0].offset);
}

TEST_F(PublisherTest, ASlowAckIsUnknownAndARetryWithTheSameIdJoinsItInsteadOfASecondRecord) {
  Await(Publish("b.warm-up", "0"));
  SlowBroker(1500);
  BeImpatient();
  const Outcome first = Await(Publish("b.x", "1"));
  ASSERT_EQ(StatusOf(first), 503) << "the shorter http.ackTimeout is in force at once";
  EXPECT_EQ(ToProblem(first).outcome, "unknown");
  publisher_->SetOptions(Options());
  const Outcome retry = Await(Publish("b.x", "1"));
  EXPECT_EQ(StatusOf(retry), 200);
  SlowBroker(0);
  EXPECT_EQ(Values("first").size(), 2u);
  EXPECT_EQ(Await(Publish("b.x", "1")).targets[0].offset, retry.targets[0].offset);
  EXPECT_EQ(Values("first").size(), 2u);
}

TEST_F(PublisherTest, KafkaKnownToBeAwayIsRefusedAtOnceAndNothingIsSentLater) {
  Await(Publish("b.warm-up", "0"));
  BeImpatient();
  rd_kafka_mock_broker_set_down(mock_, 1);
  ASSERT_TRUE(test::RunUntil(loop_, [&] { return !producer_->connection().connected; }));
  const auto since = loop_.Now();
  ASSERT_TRUE(
      test::RunUntil(loop_, [&] { return loop_.Now() - since > std::chrono::milliseconds(300); }));
  const auto refused = Publish("b.x", "1");
  ASSERT_TRUE(*refused) << "decided inside the call";
  EXPECT_EQ(StatusOf(**refused), 503);
  EXPECT_EQ(ToProblem(**refused).outcome, "none");
  EXPECT_GT(ToProblem(**refused).retry_after, 0);
  rd_kafka_mock_broker_set_up(mock_, 1);
  ASSERT_TRUE(test::RunUntil(loop_, [&] { return producer_->connection().connected; }));
  EXPECT_EQ(Values("first").size(), 1u);
  publisher_->SetOptions(Options());
  EXPECT_EQ(StatusOf(Await(Publish("b.x", "1"))), 200);
  EXPECT_EQ(Values("first").size(), 2u);
}

TEST_F(PublisherTest, ARetryOfAFanOutSkipsTheTopicsThatHaveIt) {
  Await(Publish("a.both", "0"));
  rd_kafka_mock_topic_set_error(mock_, "second", RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
  Outcome outcome = Await(Publish("a.both", "1"));
  for (int tries = 0; StatusOf(outcome) == 200 && tries < 3; ++tries)
    outcome = Await(Publish("a.both", "1" + std::to_string(tries)));
  EXPECT_EQ(outcome.targets[0].status, Target::Status::kAcked);
  const size_t before = Values("first").size();
  if (StatusOf(outcome) == 503) {
    rd_kafka_mock_topic_set_error(mock_, "second", RD_KAFKA_RESP_ERR_NO_ERROR);
    Outcome retry = Await(Publish("a.both", outcome.id));
    for (int tries = 0; StatusOf(retry) == 503 && tries < 30; ++tries)
      retry = Await(Publish("a.both", outcome.id));
    EXPECT_EQ(StatusOf(retry), 200);
    EXPECT_EQ(retry.targets[0].offset, outcome.targets[0].offset);
  }
  EXPECT_EQ(Values("first").size(), before);
}

TEST_F(PublisherTest, ARetryOfAFanOutIntoOneTopicSendsTheOneThatIsNotThere) {
  SetRoutes(
      "  - {match: {type: 'c.*'}, topic: first, key: data.a, continue: true}\n"
      "  - {match: {type: 'c.x'}, topic: first, key: data.b}\n");
  const std::string data = R"({"a":"1","b":"2"})";
  ASSERT_EQ(StatusOf(Await(Publish("c.x", "0", data))), 200);
  rd_kafka_mock_push_request_errors(mock_, kProduce, 2, RD_KAFKA_RESP_ERR_NO_ERROR,
                                    RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
  ASSERT_EQ(StatusOf(Await(Publish("c.x", "1", data))), 413);
  EXPECT_EQ(Values("first").size(), 3u);
  EXPECT_EQ(StatusOf(Await(Publish("c.x", "1", data))), 200);
  EXPECT_EQ(Values("first").size(), 4u);
}

TEST_F(PublisherTest, TheSameIdWithAnotherBodyIs409) {
  EXPECT_EQ(StatusOf(Await(Publish("b.x", "1"))), 200);
  EXPECT_EQ(StatusOf(Await(Publish("b.x", "1", R"({"k":"key","n":2})"))), 409);
  EXPECT_EQ(Values("first").size(), 1u);
}

TEST_F(PublisherTest, WhatKafkaRefusesForItsSizeIs413AndGetsADeadLetterRecord) {
  Await(Publish("a.warm-up", "0"));
  rd_kafka_mock_push_request_errors(mock_, kProduce, 1, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
  const Outcome outcome = Await(Publish("a.x", "1"));
  EXPECT_EQ(StatusOf(outcome), 413);
  EXPECT_EQ(ToProblem(outcome).outcome, "none");
  ASSERT_TRUE(test::RunUntil(loop_, [&] {
    return metrics_.Producer("first")[telemetry::ProducerOutcome::kDeadLettered].value() == 1;
  }));
  EXPECT_EQ(metrics_.Producer("first")[telemetry::ProducerOutcome::kFailed].value(), 0);
  EXPECT_EQ(Values("dead_letters"), std::vector<std::string>{R"({"k":"key"})"});
}

TEST_F(PublisherTest, ADeadLetterThatTheProducerNoLongerTakesIsSaidToBeMissing) {
  Await(Publish("a.warm-up", "0"));
  rd_kafka_mock_push_request_errors(mock_, kProduce, 1, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
  const auto pending = Publish("a.x", "1");
  producer_->Close(std::chrono::seconds(20), [] {});
  const Outcome outcome = Await(pending);
  EXPECT_EQ(StatusOf(outcome), 413);
  const std::string& detail = outcome.targets[0].rejection->detail;
  EXPECT_EQ(detail.find("was written to"), std::string::npos) << detail;
  EXPECT_NE(detail.find("dead_letters did not get it: "), std::string::npos) << detail;
  EXPECT_EQ(metrics_.Producer("first")[telemetry::ProducerOutcome::kFailed].value(), 1);
}

TEST_F(PublisherTest, AfterAFailureThatMayPassLaterEventsOfItsKeyInTheSequenceAreNotTried) {
  Await(Publish("b.warm-up", "0"));
  rd_kafka_mock_push_request_errors(mock_, kProduce, 1,
                                    RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
  Ask ask;
  ask.sequence = std::make_shared<Sequence>();
  EXPECT_EQ(StatusOf(Await(Publish("b.x", "1", R"({"k":"key"})", ask))), 503);
  const Outcome later = Await(Publish("b.x", "2", R"({"k":"key"})", ask));
  EXPECT_EQ(StatusOf(later), 503);
  EXPECT_NE(later.targets[0].rejection->detail.find("not tried"), std::string::npos);
  const Outcome other = Await(Publish("b.x", "3", R"({"k":"other"})", ask));
  EXPECT_TRUE(StatusOf(other) == 200 ||
              other.targets[0].rejection->detail.find("not tried") == std::string::npos);
}

TEST_F(PublisherTest, AckMemoryIsAnsweredQueuedAtOnceAndIsInKafkaLater) {
  Ask ask;
  ask.ack = config::Ack::kMemory;
  const auto outcome = Publish("b.x", "1", R"({"k":"key"})", ask);
  ASSERT_TRUE(*outcome);
  EXPECT_EQ(StatusOf(**outcome), 202);
  EXPECT_EQ((*outcome)->targets[0].status, Target::Status::kQueued);
  ASSERT_TRUE(test::RunUntil(loop_, [&] { return publisher_->pending() == 0; }));
  EXPECT_EQ(Values("first").size(), 1u);
}

TEST_F(PublisherTest, ARetryThatAsksForMemoryDoesNotWaitForThePendingEvent) {
  Await(Publish("b.warm-up", "0"));
  SlowBroker(1500);
  const auto first = Publish("b.x", "1");
  const auto retry = Publish("b.x", "1", R"({"k":"key"})", {config::Ack::kMemory, nullptr});
  ASSERT_TRUE(*retry);
  EXPECT_EQ(StatusOf(**retry), 202);
  EXPECT_EQ((*retry)->targets[0].status, Target::Status::kQueued);
  EXPECT_FALSE(*first) << "the first caller waits on";
  SlowBroker(0);
  Await(first);
  ASSERT_TRUE(test::RunUntil(loop_, [&] { return publisher_->pending() == 0; }));
  EXPECT_EQ(Values("first").size(), 2u);
}

// A clock that the test turns, and a Kafka that never answers.
class PublisherDeadlines : public testing::Test {
 protected:
  PublisherDeadlines() {
    kafka::ProducerOptions options;
    options.kafka.brokers = {"127.0.0.1:1"};
    producer_ = std::move(*kafka::Producer::Create(loop_, std::move(options)));
    publisher_ = std::make_unique<Publisher>(
        loop_, producer_->sink(), nullptr, metrics_,
        PublisherOptions{.source = "test", .ack_timeout = seconds(10), .away_after = hours(1)});
    auto loaded = config::Load("", [](const char*) { return std::nullopt; });
    publisher_->SetRoutes(Routes::Build(loaded.config, loaded.problems));
  }

  // When the caller was answered, in seconds from the start; -1: not yet.
  std::shared_ptr<long> Publish(const std::string& id) {
    event::Event event;
    event.type = "a.b";
    event.id = id;
    event.data = "x";
    auto answered = std::make_shared<long>(-1);
    publisher_->Publish(std::move(event), {}, [this, answered](const Outcome& outcome) {
      const http::Problem problem = ToProblem(outcome);
      EXPECT_EQ(problem.status, 503);
      EXPECT_EQ(problem.outcome, "unknown");
      EXPECT_EQ(problem.retry_after, 1);
      *answered = std::chrono::duration_cast<seconds>(loop_.Now() - start_).count();
    });
    return answered;
  }

  using seconds = std::chrono::seconds;
  using hours = std::chrono::hours;
  using milliseconds = std::chrono::milliseconds;
  base::ManualClock clock_;
  base::Loop loop_{clock_.clock()};
  const base::TimePoint start_ = loop_.Now();
  telemetry::Metrics metrics_;
  std::unique_ptr<kafka::Producer> producer_;
  std::unique_ptr<Publisher> publisher_;
};

TEST_F(PublisherDeadlines, WhoJoinsLaterWaitsForAckTimeoutOfItsOwnAndNoLonger) {
  const auto first = Publish("1");
  loop_.Advance(clock_, seconds(2));
  const auto joined = Publish("1");
  loop_.Advance(clock_, seconds(6));
  const auto other = Publish("2");
  loop_.Advance(clock_, seconds(20));
  EXPECT_EQ(*first, 10);
  EXPECT_EQ(*joined, 12);
  EXPECT_EQ(*other, 18);
  const auto again = Publish("1");
  loop_.Advance(clock_, seconds(20));
  EXPECT_EQ(*again, 38);
  EXPECT_EQ(publisher_->pending(), 2U) << "they stay with the producer";
}

TEST_F(PublisherDeadlines, AShorterAckTimeoutHoldsForThoseWhoWaitAlready) {
  const auto first = Publish("1");
  publisher_->SetOptions({.source = "test", .ack_timeout = seconds(3), .away_after = hours(1)});
  const auto second = Publish("2");
  loop_.Advance(clock_, seconds(20));
  EXPECT_EQ(*second, 3);
  EXPECT_EQ(*first, 3);
}

TEST_F(PublisherDeadlines, CountOnlyTheTimeInWhichAReportCouldHaveBeenRead) {
  const auto first = Publish("1");
  loop_.Advance(clock_, seconds(9));
  clock_.Advance(seconds(60));  // the process is stopped
  loop_.RunReady();
  EXPECT_EQ(*first, -1) << "a report that came meanwhile is read before";
  loop_.Advance(clock_, seconds(2));
  EXPECT_EQ(*first, 70);
}

TEST_F(PublisherDeadlines, ManyWhoWaitForOneEventAreAdmittedToABoundAndAllAnswered) {
  publisher_->SetOptions(
      {.source = "test", .ack_timeout = seconds(10), .away_after = hours(1), .max_joined = 2000});
  const auto first = Publish("1");
  std::vector<std::shared_ptr<long>> joined;
  for (int i = 0; i < 3000; ++i) joined.push_back(Publish("1"));
  const auto answered = [&] {
    return std::count_if(joined.begin(), joined.end(), [](const auto& at) { return *at >= 0; });
  };
  EXPECT_EQ(answered(), 1000) << "at once: no more than 2,000 wait";
  const auto other = Publish("2");
  EXPECT_EQ(*other, -1) << "another event is taken all the same";
  loop_.Advance(clock_, seconds(10) - milliseconds(1));
  clock_.Advance(milliseconds(1));
  loop_.RunReady();
  EXPECT_GE(*first, 0);
  EXPECT_LT(answered(), 3000) << "other work has its turn in between";
  loop_.Advance(clock_, milliseconds(1));
  EXPECT_EQ(answered(), 3000);
  EXPECT_EQ(*other, 10);
  const auto again = Publish("1");
  EXPECT_EQ(*again, -1) << "there is room again";
}

TEST(PublisherWithoutKafka, WhatIsValidIsDiscardedAndWhatIsNotIsRefused) {
  base::Loop loop;
  telemetry::Metrics metrics;
  Publisher publisher(loop, kafka::RecordSink(), nullptr, metrics, {.source = "test"});
  auto loaded = config::Load("", [](const char*) { return std::nullopt; });
  publisher.SetRoutes(Routes::Build(loaded.config, loaded.problems));
  event::Event event;
  event.type = "a.b";
  event.data = "x";
  std::optional<Outcome> outcome;
  publisher.Publish(event, {}, [&](const Outcome& decided) { outcome = decided; });
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->targets[0].status, Target::Status::kDiscarded);
  EXPECT_EQ(StatusOf(*outcome), 202);
  event.time = "yesterday";
  publisher.Publish(event, {}, [&](const Outcome& decided) { outcome = decided; });
  EXPECT_EQ(StatusOf(*outcome), 400);
}

}  // namespace
}  // namespace outrigger::publish
