// A subscription on the embedded broker, and its app on the same loop.
#include "deliver/subscription.h"

#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "http/server.h"
#include "kafka/embedded.h"
#include "kafka/producer.h"
#include "kafka/topic_identity.h"
#include "support/on_loop.h"

namespace outrigger::deliver {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kJoinGroup = 11;  // ApiKey of JoinGroupRequest
constexpr int kHeartbeat = 12;  // … HeartbeatRequest

class SubscriptionTest : public testing::Test {
 protected:
  SubscriptionTest()
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
      if (answering_) request->Answer(answer_);
    };
    app_ = std::make_unique<http::Server>(loop_, http::Limits(), std::move(handler));
    port_ = *app_->ListenTcp("127.0.0.1:0");
    config_.name = "s";
    config_.group = "g";
    config_.topics = {{"one", {}, "test"}};
    config_.deliver.url = {"http://127.0.0.1:" + std::to_string(port_) + "/h", {}, "test"};
    config_.deliver.timeout = seconds(30);
  }

  std::unique_ptr<Subscription> Start() {
    auto created = Subscription::Create({.loop = loop_,
                                         .kafka = kafka_,
                                         .config = config_,
                                         .rebalance_drain = drain_,
                                         .produce = [](event::Record, kafka::OnReport) {},
                                         .metrics = metrics_,
                                         .conditions = conditions_});
    EXPECT_TRUE(created);
    return created ? std::move(*created) : nullptr;
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

  bool Until(const std::function<bool()>& truth) {
    return test::RunUntil(loop_, truth, seconds(20));
  }
  // The loop runs for `time`; for what must not happen.
  void Pass(milliseconds time) {
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
  base::Duration drain_ = seconds(5);
  telemetry::Metrics metrics_;
  telemetry::Conditions conditions_;
  std::unique_ptr<kafka::Producer> producer_;
  std::vector<std::shared_ptr<http::Request>> calls_;
  bool answering_ = true;
  http::Response answer_;
  std::unique_ptr<http::Server> app_;
  uint16_t port_ = 0;
  kafka::Owned<rd_kafka_t> asker_;
};

TEST_F(SubscriptionTest, WhereANewGroupBeganIsCommittedSoThatARestartSkipsNothing) {
  Send(3);
  config_.start_from.at = config::StartFrom::At::kLatest;
  auto subscription = Start();
  ASSERT_TRUE(Until([&] { return Committed() == 3; }));
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

TEST_F(SubscriptionTest, AStatusThatNobodyKnowsHoldsItsKeyUntilTheHandlerIsMended) {
  config_.retry = {
      .attempts = 2, .backoff_initial = milliseconds(1), .backoff_max = milliseconds(20)};
  answer_.body = R"({"status":"OK"})";
  const auto subscription = Start();
  Send(1);
  ASSERT_TRUE(Until([&] { return State().reason == "Stuck"; }));
  answer_ = {};
  EXPECT_TRUE(Until([&] { return Committed() == 1; }));
}

TEST_F(SubscriptionTest, AttemptsThatTheHalfDownCircuitGivesBackAreCommitted) {
  config_.retry = {.attempts = 5, .backoff_initial = milliseconds(200), .backoff_max = seconds(1)};
  config_.circuit.failures = 10;
  config_.commit_interval = milliseconds(1);
  answer_.status = 500;
  const auto subscription = Start();
  Send(5);
  ASSERT_TRUE(Until([&] { return State().reason == "AppHalfDown"; }));
  std::string metadata;
  EXPECT_TRUE(Until([&] { return Committed("one", 0, &metadata) == 0 && metadata.empty(); }));
}

// What /status says of a subscription that has no partition.
class StateTest : public SubscriptionTest {
 protected:
  StateTest() { kafka_.properties["topic.metadata.refresh.interval.ms"] = {"500", {}, "test"}; }

  std::unique_ptr<Subscription> StartAnother() {
    return std::move(*Subscription::Create({.loop = loop_,
                                            .kafka = kafka_,
                                            .config = config_,
                                            .rebalance_drain = drain_,
                                            .produce = [](event::Record, kafka::OnReport) {},
                                            .metrics = other_metrics_,
                                            .conditions = other_conditions_}));
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
  EXPECT_TRUE(Until([&] { return Shared(); }));
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

  std::unique_ptr<Subscription> subscription_;
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

}  // namespace
}  // namespace outrigger::deliver
