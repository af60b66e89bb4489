// One subscription on the embedded broker, and its app on the same loop.
#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "support/group_fixture.h"

namespace outrigger::deliver {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kOffsetCommit = 8;  // ApiKey of OffsetCommitRequest
constexpr int kJoinGroup = 11;    // … JoinGroupRequest
constexpr int kHeartbeat = 12;    // … HeartbeatRequest

class SubscriptionTest : public test::GroupFixture {};

TEST_F(SubscriptionTest, WhereANewGroupBeganIsCommittedSoThatARestartSkipsNothing) {
  Send(3);
  config_.start_from.at = config::StartFrom::At::kLatest;
  auto subscription = Start();
  ASSERT_TRUE(Until([&] { return Committed() == 3; }));
  // The commit comes before the assignment, and librdkafka can hang when it is destroyed in
  // between.
  ASSERT_TRUE(Until([&] { return Gauge("outrigger_consumer_lag{") == 0; }));
  subscription.reset();  // as kill -9 would
  Send(2);
  subscription = Start();
  ASSERT_TRUE(Until([&] { return calls_.size() == 2; }));
  EXPECT_EQ(calls_[0]->head().Find("outrigger-offset"), "3");
}

TEST_F(SubscriptionTest, LagInSecondsGrowsThoughNothingOfThePartitionWasFetched) {
  Send(3);
  app_.reset();  // nobody listens …
  config_.deliver.health.emplace(
      config::AppHealth{"/health", milliseconds(20), milliseconds(20), 1});
  rd_kafka_mock_push_request_errors(mock_, kJoinGroup, 1,
                                    RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE);
  const auto subscription = Start();
  // … so that the partition is paused before its first record.
  ASSERT_TRUE(Until([&] { return Gauge("outrigger_consumer_lag{") == 3; }));
  ASSERT_EQ(Gauge("outrigger_consumer_oldest_unsettled_age_seconds{"), 0);
  EXPECT_TRUE(Until([&] { return Gauge("outrigger_consumer_lag_seconds{") > 1; }));
}

TEST_F(SubscriptionTest, AStatusThatNobodyKnowsIsDone) {
  answer_.body = R"({"status":"OK"})";
  const auto subscription = Start();
  Send(2);
  EXPECT_TRUE(Until([&] { return Committed() == 2; }));
  EXPECT_EQ(calls_.size(), 2U);
  EXPECT_EQ(Gauge("outrigger_consumer_failures_total{reason=\"undecodable\""), 0);
}

TEST_F(SubscriptionTest, AttemptsThatTheDegradedCircuitTakesBackAreCommitted) {
  config_.retry = {.attempts = 5, .backoff_initial = milliseconds(200), .backoff_max = seconds(1)};
  config_.circuit.failures = 10;
  config_.commit_interval = milliseconds(1);
  answer_.status = 500;
  const auto subscription = Start();
  Send(5);
  ASSERT_TRUE(Until([&] { return State().reason == "AppDegraded"; }));
  std::string metadata;
  EXPECT_TRUE(Until([&] { return Committed("one", 0, &metadata) == 0 && metadata.empty(); }));
}

// What Kafka does not take.
class CommitTest : public SubscriptionTest {
 protected:
  CommitTest() {
    kafka_.consumer_properties["session.timeout.ms"].value = "30000";
    config_.commit_interval = milliseconds(1);
    config_.retry.backoff_initial = milliseconds(1);
    config_.retry.backoff_max = milliseconds(10);
  }

  // Each commit from now on is answered so, until Take().
  void Refuse(rd_kafka_resp_err_t error, int count = 1000) {
    for (int n = 0; n < count; ++n)
      rd_kafka_mock_push_request_errors(mock_, kOffsetCommit, 1, error);
  }
  void Take() { rd_kafka_mock_clear_request_errors(mock_, kOffsetCommit); }
  double Refused() const { return Gauge("outrigger_consumer_commits_refused_total{"); }
};

TEST_F(CommitTest, RetriesGoOnWhileEachIsRefusedAndItIsSaidUntilOneIsTaken) {
  config_.retry.attempts = 100;
  const auto subscription = Start();
  ASSERT_TRUE(Until([&] { return State().reason == "Delivering" && Committed() == 0; }));
  Refuse(RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED);
  answer_.status = 500;
  Send(1);
  ASSERT_TRUE(Until([&] { return calls_.size() >= 4; })) << calls_.size();
  EXPECT_EQ(State().reason, "CommitsRefused");
  EXPECT_EQ(State().status, telemetry::Status::kFalse);
  EXPECT_NE(State().message.find("one/0"), std::string::npos) << State().message;
  EXPECT_NE(State().message.find("READ on the group"), std::string::npos) << State().message;
  EXPECT_GT(Refused(), 0);
  answer_.status = 200;
  Take();
  EXPECT_TRUE(Until([&] { return State().reason == "Delivering" && Committed() == 1; }));
}

TEST_F(CommitTest, MetadataThatIsTooLargeIsLeftOutSoThatOffsetsMove) {
  config_.retry.attempts = 100;
  const auto subscription = Start();
  ASSERT_TRUE(Until([&] { return State().reason == "Delivering" && Committed() == 0; }));
  Refuse(RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE, 2);
  answer_.status = 500;
  Send(1);
  ASSERT_TRUE(Until([&] { return calls_.size() >= 3; })) << calls_.size();
  std::string metadata;
  EXPECT_TRUE(Until([&] { return Committed("one", 0, &metadata) == 0 && Refused() == 2; }));
  EXPECT_EQ(metadata, "");
  EXPECT_EQ(State().status, telemetry::Status::kTrue);
  EXPECT_NE(State().message.find("bytes of metadata"), std::string::npos) << State().message;
  answer_.status = 200;
  EXPECT_TRUE(Until([&] { return Committed() == 1; }));
}

TEST_F(CommitTest, ACommitThatHangsHoldsARevokedPartitionNoLongerThanItsBound) {
  const auto subscription = Start();
  ASSERT_TRUE(Until([&] { return State().reason == "Delivering" && Committed() == 0; }));
  rd_kafka_mock_broker_push_request_error_rtts(mock_, 1, kOffsetCommit, 1,
                                               RD_KAFKA_RESP_ERR_NO_ERROR, 8000);
  Send(1);
  ASSERT_TRUE(Until([&] { return calls_.size() == 1; }));
  Pass(milliseconds(200));
  bool stopped = false;
  subscription->Stop(milliseconds(300), [&] { stopped = true; });
  const auto began = loop_.Now();
  ASSERT_TRUE(Until([&] { return Gauge("outrigger_consumer_lag{") < 0; }));
  EXPECT_LT(loop_.Now() - began, seconds(3));
  Until([&] { return stopped; });
}

TEST_F(CommitTest, OneThatHangsHoldsNoRetryUpForLong) {
  config_.retry.attempts = 100;
  const auto subscription = Start();
  ASSERT_TRUE(Until([&] { return State().reason == "Delivering" && Committed() == 0; }));
  rd_kafka_mock_broker_push_request_error_rtts(mock_, 1, kOffsetCommit, 1,
                                               RD_KAFKA_RESP_ERR_NO_ERROR, 15000);
  answer_.status = 500;
  Send(1);
  const auto began = loop_.Now();
  ASSERT_TRUE(Until([&] { return calls_.size() >= 3; })) << calls_.size();
  EXPECT_LT(loop_.Now() - began, seconds(12));
}

TEST_F(SubscriptionTest, TheLastLagStaysWhileKafkaIsAwayAndThePartitionIsLost) {
  answering_ = false;
  Send(5);
  const auto subscription = Start();
  ASSERT_TRUE(Until([&] { return Gauge("outrigger_consumer_lag{") == 5; }));
  rd_kafka_mock_broker_set_down(mock_, 1);
  ASSERT_TRUE(Until([&] { return State().reason == "Connecting"; }));
  Pass(seconds(4));  // the session ends
  EXPECT_EQ(Gauge("outrigger_consumer_lag{"), 5);
  answering_ = true;
  rd_kafka_mock_broker_set_up(mock_, 1);
  EXPECT_TRUE(Until([&] { return Gauge("outrigger_consumer_lag{") == 0; }));
  EXPECT_TRUE(Until([&] { return State().reason == "Delivering"; })) << conditions_.Json();
}

// What /status says of a subscription that has no partition.
class StateTest : public SubscriptionTest {
 protected:
  StateTest() { kafka_.properties["topic.metadata.refresh.interval.ms"] = {"500", {}, "test"}; }

  std::unique_ptr<Group> StartAnother() {
    return std::move(
        *Group::Create({.loop = loop_,
                        .kafka = kafka_,
                        .sink = {.send = [](event::Record, kafka::OnReport) { return nullptr; }},
                        .metrics = other_metrics_,
                        .conditions = other_conditions_,
                        .options = Options({config_})}));
  }
  static bool Delivers(const telemetry::Conditions& conditions, const std::string& message) {
    const auto state = conditions.Get("Delivering/s");
    return state.status == telemetry::Status::kTrue &&
           state.message.find(message) != std::string::npos;
  }
  // One of the two has the partition, the other is told why it has none.
  bool Shared() {
    const std::string none = "no partition of its own: other members of group g";
    return (Delivers(conditions_, "1 partitions") && Delivers(other_conditions_, none)) ||
           (Delivers(other_conditions_, "1 partitions") && Delivers(conditions_, none));
  }

  telemetry::Metrics other_metrics_;
  telemetry::Conditions other_conditions_{base::Clock::System()};
};

TEST_F(StateTest, IsJoiningUntilTheGroupHasSharedItsPartitionsOut) {
  rd_kafka_mock_broker_push_request_error_rtts(mock_, 1, kJoinGroup, 1, RD_KAFKA_RESP_ERR_NO_ERROR,
                                               1500);
  const auto subscription = Start();
  ASSERT_TRUE(Until([&] { return State().reason == "Joining"; }));
  EXPECT_EQ(State().status, telemetry::Status::kUnknown);
  EXPECT_NE(State().message.find("group g"), std::string::npos);
  EXPECT_TRUE(Until([&] { return Delivers(conditions_, "1 partitions"); }));
}

TEST_F(StateTest, WhoHasNoPartitionOfItsOwnSaysWhoHasThem) {
  const auto one = Start(), other = StartAnother();
  EXPECT_TRUE(Until([&] { return Shared(); }));
}

TEST_F(StateTest, ATopicThatIsMissingIsNamedUntilItIsThere) {
  rd_kafka_mock_topic_set_error(mock_, "one", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
  const auto one = Start(), other = StartAnother();
  const auto missing = [](const telemetry::Conditions& conditions) {
    const auto state = conditions.Get("Delivering/s");
    return state.reason == "TopicMissing" && state.status == telemetry::Status::kFalse &&
           state.message.find("one") != std::string::npos;
  };
  ASSERT_TRUE(Until([&] { return missing(conditions_) && missing(other_conditions_); }));
  Pass(seconds(3));
  EXPECT_TRUE(missing(conditions_) && missing(other_conditions_));
  rd_kafka_mock_topic_set_error(mock_, "one", RD_KAFKA_RESP_ERR_NO_ERROR);
  // Each of the two looks for topics every 10 s, and each find is a rebalance.
  EXPECT_TRUE(Until([&] { return Shared(); }, seconds(60)))
      << conditions_.Json() << other_conditions_.Json();
}

TEST_F(StateTest, ClientsBuiltAnewAreCounted) {
  const auto subscription = Start();
  ASSERT_TRUE(Until([&] { return Delivers(conditions_, "1 partitions"); }));
  ASSERT_EQ(Gauge("outrigger_consumer_rebuilds_total{"), 0);
  rd_kafka_mock_push_request_errors(mock_, kHeartbeat, 1, RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID);
  EXPECT_TRUE(Until([&] { return Gauge("outrigger_consumer_rebuilds_total{") == 1; }));
  EXPECT_TRUE(Until([&] { return Delivers(conditions_, "1 partitions"); }));
}

TEST_F(StateTest, APartitionThatComesBackWhileItIsStillBeingSettledSkipsNothing) {
  broker_->CreateTopic("four", 4);
  config_.topics = {{"four", {}, "test"}};
  drain_ = seconds(60);
  answering_ = false;
  kafka_.consumer_properties["session.timeout.ms"].value = "4000";
  // So that it hears of the other's joining before the embedded broker's patience ends.
  kafka_.consumer_properties["heartbeat.interval.ms"].value = "500";
  const auto keeper = Start();
  ASSERT_TRUE(Until([&] { return Delivers(conditions_, "4 partitions"); }));
  for (int32_t partition = 0; partition < 4; ++partition) Send(3, "four", partition);
  ASSERT_TRUE(Until([&] { return calls_.size() == 12; }));
  // Another wants two of them, which wait for the app …
  auto other = StartAnother();
  ASSERT_TRUE(Until([&] { return Delivers(other_conditions_, "no partition of its own"); }))
      << other_conditions_.Json() << conditions_.Json();
  Pass(milliseconds(300));
  // … and are ours again, with a new client, before it answers.
  other.reset();
  answering_ = true;
  rd_kafka_mock_push_request_errors(mock_, kHeartbeat, 1, RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID);
  ASSERT_TRUE(Until([&] { return calls_.size() == 24; })) << calls_.size();
  for (int32_t partition = 0; partition < 4; ++partition)
    EXPECT_TRUE(Until([&] { return Committed("four", partition) == 3; }));
  EXPECT_EQ(Gauge("outrigger_consumer_lag{"), 0);
}

// What is in flight when the process is told to end.
class StoppingTest : public SubscriptionTest {
 protected:
  void StartWithOneInFlight() {
    drain_ = milliseconds(100);
    answering_ = false;
    Send(2);
    subscription_ = Start();
    ASSERT_TRUE(Until([&] { return calls_.size() == 2; }));
    calls_[0]->Answer({});
  }
  void Stop(base::Duration settle_within) {
    subscription_->Stop(settle_within, [this] { stopped_ = true; });
  }

  std::unique_ptr<Group> subscription_;
  bool stopped_ = false;
};

TEST_F(StoppingTest, HasAllTheTimeThatStoppingHasAndNotThatOfARebalance) {
  StartWithOneInFlight();
  Stop(seconds(20));
  EXPECT_EQ(State().reason, "ShuttingDown");
  Send(1);
  Pass(milliseconds(600));
  EXPECT_FALSE(stopped_);
  calls_[1]->Answer({});
  ASSERT_TRUE(Until([&] { return stopped_; }));
  EXPECT_EQ(State().reason, "ShuttingDown");
  EXPECT_EQ(Committed(), 2);
  EXPECT_EQ(calls_.size(), 2u);
}

TEST_F(StoppingTest, IsCutAtTheEndOfThatTimeAndDeliveredAgain) {
  StartWithOneInFlight();
  Stop(milliseconds(300));
  ASSERT_TRUE(Until([&] { return stopped_; }));
  EXPECT_EQ(Committed(), 1);
}

// What is no event, and what can't be delivered.
class DeadLetterTest : public SubscriptionTest {
 protected:
  DeadLetterTest() {
    config_.dead_letter = "dlq";
    config_.retry.attempts = 1;
    // A dead letter topic that takes records of so many bytes.
    sink_.send = [this](event::Record record, kafka::OnReport on_report) {
      const bool fits = record.bytes() <= room_;
      offered_.push_back(record);
      if (fits) letters_.push_back(record);
      loop_.Post([fits, record = std::move(record), on_report = std::move(on_report)]() mutable {
        if (fits) return on_report(kafka::Stored{0, 0}, record);
        on_report(tl::unexpected(kafka::Refusal{kafka::Reason::kTooLarge,
                                                base::Error::Invalid("too large for the topic")}),
                  record);
      });
      return nullptr;
    };
  }

  static event::Record Keyed(const std::string& key, std::string value = "{}") {
    event::Record record;
    record.key = key;
    record.value = std::move(value);
    return record;
  }
  static std::string Header(const event::Record& record, std::string_view name) {
    for (const auto& header : record.headers)
      if (header.name == name) return header.value.value_or("(null)");
    return "(absent)";
  }
  double Outcome(const std::string& outcome) const {
    return Gauge("outrigger_consumer_events_total{outcome=\"" + outcome + "\"");
  }

  static constexpr char kDeadLetter[] = R"({"status":"DEAD_LETTER"})";
  size_t room_ = 1 << 20;
  std::vector<event::Record> offered_, letters_;
};

TEST_F(DeadLetterTest, WhatCantBeDecodedIsCountedAndNeverDelivered) {
  event::Record broken = Keyed("k", "{not json");
  broken.headers = {{"content-type", "application/cloudevents+json"}};
  SendRecord(broken);
  const auto subscription = Start();
  ASSERT_TRUE(Until([&] { return Committed() == 1; }));
  ASSERT_EQ(letters_.size(), 1U);
  EXPECT_EQ(Header(letters_[0], "outrigger-error-reason"), "undecodable");
  EXPECT_EQ(Header(letters_[0], "outrigger-error-attempts"), "0");
  EXPECT_EQ(Gauge("outrigger_consumer_failures_total{reason=\"undecodable\""), 1);
  EXPECT_TRUE(calls_.empty());
}

TEST_F(DeadLetterTest, WhatCantBeDecodedAndIsOfAnotherTypeIsFiltered) {
  config_.match.type = config::Text{"user.*", {}, "test"};
  config_.dead_letter.clear();  // it would hold its key
  event::Record broken = Keyed("k", R"({"type":"audit.made","data":{"a":)");
  broken.headers = {{"content-type", "application/cloudevents+json"}};
  SendRecord(broken);
  event::Record avro = Keyed("k", "\x01");
  avro.headers = {{"ce_type", "audit.made"}, {"content-type", "application/cloudevents+avro"}};
  SendRecord(avro);
  SendRecord(Keyed("k", R"({"type":"user.registered"})"));
  const auto subscription = Start();
  ASSERT_TRUE(Until([&] { return Committed() == 3; }));
  EXPECT_EQ(calls_.size(), 1U);
  EXPECT_EQ(Outcome("filtered"), 2);
}

TEST_F(DeadLetterTest, OfARecordThatJustFitsTheStoryIsShortened) {
  answer_.body = R"({"status":"DEAD_LETTER","reason":")" + std::string(1000, 'x') + "\"}";
  room_ = 1200;
  const auto subscription = Start();
  SendRecord(Keyed("k", std::string(1100, ' ') + "{}"));
  ASSERT_TRUE(Until([&] { return Committed() == 1; }));
  ASSERT_EQ(letters_.size(), 1U);
  EXPECT_EQ(Header(letters_[0], "outrigger-error-generation"), "1");
  EXPECT_EQ(Header(letters_[0], "outrigger-error-body"), "(absent)");
  EXPECT_EQ(letters_[0].value->size(), 1102U);
  SendRecord(Keyed("k", std::string(500, ' ') + "{}"));
  ASSERT_TRUE(Until([&] { return Committed() == 2; }));
  EXPECT_EQ(Header(letters_[1], "outrigger-error-reason"), "dead_letter");
  EXPECT_EQ(Header(letters_[1], "outrigger-error-subscription"), "s");
}

TEST_F(DeadLetterTest, WhatNeverFitsHoldsItsKeyAloneUntilTheLimitIsRaised) {
  answer_.body = kDeadLetter;
  room_ = 100'000;
  const auto subscription = Start();
  for (int n = 0; n < 5; ++n)
    SendRecord(Keyed("large " + std::to_string(n), std::string(900'000, ' ') + "{}"));
  ASSERT_TRUE(Until([&] { return State().reason == "Stuck"; }));
  EXPECT_NE(State().message.find("max.message.bytes"), std::string::npos) << State().message;
  for (int n = 0; n < 20; ++n) SendRecord(Keyed("small"));
  ASSERT_TRUE(Until([&] { return letters_.size() == 20; }));
  EXPECT_EQ(Committed(), 0);
  room_ = 1 << 20;
  ASSERT_TRUE(Until([&] { return Committed() == 25; }));
  EXPECT_EQ(State().reason, "Delivering");
}

TEST_F(DeadLetterTest, TheFirstTryOfAllIsToldAfterARestart) {
  config_.retry = {.attempts = 2, .backoff_initial = seconds(2), .backoff_max = seconds(2)};
  config_.commit_interval = milliseconds(1);
  answer_.body = R"({"status":"RETRY","delay":"2s"})";
  const auto before = loop_.Wall();
  auto subscription = Start();
  SendRecord(Keyed("k"));
  std::string metadata;
  ASSERT_TRUE(Until([&] { return Committed("one", 0, &metadata) == 0 && !metadata.empty(); }));
  const auto tried = loop_.Wall();
  subscription.reset();  // as kill -9 would
  Pass(seconds(1));
  answer_.body = kDeadLetter;
  subscription = Start();
  ASSERT_TRUE(Until([&] { return letters_.size() == 1; }));
  EXPECT_EQ(Header(letters_[0], "outrigger-error-attempts"), "2");
  const std::string first = Header(letters_[0], "outrigger-error-first-time");
  EXPECT_GE(first, base::Rfc3339(before - milliseconds(100)));
  EXPECT_LE(first, base::Rfc3339(tried));
  EXPECT_GT(Header(letters_[0], "outrigger-error-last-time"), first);
}

TEST_F(DeadLetterTest, WhatWentRoundTenTimesStaysWhereItIs) {
  answer_.body = kDeadLetter;
  const auto subscription = Start();
  for (const char* generation : {"9", "10", "11"}) {
    event::Record record = Keyed("k");
    record.headers = {{"outrigger-error-generation", generation}};
    SendRecord(record);
  }
  ASSERT_TRUE(Until([&] { return Committed() == 3; }));
  EXPECT_EQ(calls_.size(), 2U) << "beyond ten it is not delivered";
  ASSERT_EQ(letters_.size(), 1U);
  EXPECT_EQ(Header(letters_[0], "outrigger-error-generation"), "10");
  EXPECT_EQ(Outcome("dropped"), 2);
  answer_.body.clear();  // a handler that was mended takes what is put back
  event::Record again = Keyed("k");
  again.headers = {{"outrigger-error-generation", "10"}};
  SendRecord(again);
  EXPECT_TRUE(Until([&] { return Outcome("delivered") == 1; }));
}

TEST_F(DeadLetterTest, ARegularExpressionPassesOverTheOwnDeadLetterTopic) {
  config_.topics = {{"^x[.].*", {}, "test"}};
  config_.dead_letter = "x.dlq";
  kafka_.properties["topic.blacklist"] = {"^x[.]secret$", {}, "test"};
  for (const char* topic : {"x.dlq", "x.secret", "x.dlqs", "x.events"}) {
    broker_->CreateTopic(topic, 1);
    Send(1, topic);
  }
  const auto subscription = Start();
  ASSERT_TRUE(Until([&] { return Committed("x.events") == 1 && Committed("x.dlqs") == 1; }));
  EXPECT_EQ(calls_.size(), 2U);
  EXPECT_LT(Committed("x.dlq"), 0);
  EXPECT_LT(Committed("x.secret"), 0);
}

}  // namespace
}  // namespace outrigger::deliver
