// A group whose subscriptions a reload changes while events are under way, on the embedded broker.
#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <algorithm>
#include <set>

#include "support/group_fixture.h"

namespace outrigger::deliver {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Subscriptions = std::vector<config::Subscription>;

constexpr int kJoinGroup = 11;  // ApiKey of JoinGroupRequest

class GroupReloadTest : public test::GroupFixture {
 protected:
  GroupReloadTest() {
    config_.commit_interval = milliseconds(1);
    config_.retry = {
        .attempts = 100, .backoff_initial = milliseconds(1), .backoff_max = milliseconds(20)};
    answer_to_ = [this](const http::Request& request) {
      http::Response response;
      if (failing_.contains(Path(request))) response.status = 500;
      return response;
    };
    rd_kafka_mock_start_request_tracking(mock_);
  }

  static std::string Path(const http::Request& request) { return std::string(request.head().path); }
  // A subscription of that name, whose handler has its name too, or `handler`.
  config::Subscription Named(const std::string& name, const std::string& handler = {}) const {
    config::Subscription subscription = config_;
    subscription.name = name;
    subscription.deliver.url.value =
        "http://127.0.0.1:" + std::to_string(port_) + "/" + (handler.empty() ? name : handler);
    return subscription;
  }
  void Apply(Group& group, Subscriptions subscriptions) {
    group.Apply(Options(std::move(subscriptions)));
  }
  // The offsets that the handler got, in the order of its calls.
  std::vector<int> Got(const std::string& handler) const {
    std::vector<int> offsets;
    for (const auto& call : calls_)
      if (Path(*call) == "/" + handler)
        offsets.push_back(std::stoi(std::string(call->head().Find("outrigger-offset"))));
    return offsets;
  }
  void AnswerAll() {
    answering_ = true;
    for (const auto& call : std::vector(calls_)) call->Answer(answer_);
  }
  // Of the one member that there is: without an id, and with it.
  bool JoinedOnce() {
    size_t count = 0;
    rd_kafka_mock_request_t** requests = rd_kafka_mock_get_requests(mock_, &count);
    const auto joins = std::count_if(requests, requests + count, [](auto* request) {
      return rd_kafka_mock_request_api_key(request) == kJoinGroup;
    });
    rd_kafka_mock_request_destroy_array(requests, count);
    return joins <= 2;
  }

  std::set<std::string> failing_;  // paths
};

std::vector<int> Numbers(int from, int to) {
  std::vector<int> numbers;
  for (int n = from; n < to; ++n) numbers.push_back(n);
  return numbers;
}

TEST_F(GroupReloadTest, AChangeLetsWhatIsInFlightSettleAndKeepsThePartition) {
  answering_ = false;
  config_.ordering = config::Ordering::kPartition;
  const auto group = Start({Named("s", "old")});
  Send(5);
  ASSERT_TRUE(Until([&] { return calls_.size() == 1; }));
  Apply(*group, {Named("s", "new")});
  Pass(milliseconds(300));
  EXPECT_EQ(Got("old"), Numbers(0, 1));
  EXPECT_EQ(Got("new"), Numbers(0, 0));
  AnswerAll();
  ASSERT_TRUE(Until([&] { return Committed() == 5; }));
  EXPECT_EQ(Got("old"), Numbers(0, 1));
  EXPECT_EQ(Got("new"), Numbers(1, 5));
  EXPECT_TRUE(JoinedOnce());
}

TEST_F(GroupReloadTest, WhatDoesNotSettleInTimeIsDeliveredAgainByTheNewOne) {
  answering_ = false;
  drain_ = milliseconds(200);
  const auto group = Start({Named("s", "old")});
  Send(1);
  ASSERT_TRUE(Until([&] { return calls_.size() == 1; }));
  Apply(*group, {Named("s", "new")});
  answering_ = true;
  ASSERT_TRUE(Until([&] { return Committed() == 1; }));
  EXPECT_EQ(Got("new"), Numbers(0, 1));
  EXPECT_EQ(calls_.back()->head().Find("outrigger-attempt"), "1") << "it was not attempted";
}

TEST_F(GroupReloadTest, AttemptsThatWereCountedStayCounted) {
  failing_ = {"/old", "/new"};
  config_.retry.backoff_initial = config_.retry.backoff_max = milliseconds(50);
  const auto group = Start({Named("s", "old")});
  Send(1);
  ASSERT_TRUE(Until([&] { return Got("old").size() >= 3; }));
  Apply(*group, {Named("s", "new")});
  ASSERT_TRUE(Until([&] { return !Got("new").empty(); }));
  const auto attempt = [](const auto& call) {
    return std::stoul(std::string(call->head().Find("outrigger-attempt")));
  };
  const auto first = std::ranges::find_if(calls_, [](const auto& c) { return Path(*c) == "/new"; });
  EXPECT_EQ(attempt(*first), Got("old").size() + 1);
}

TEST_F(GroupReloadTest, EventsThatWaitAreJudgedByTheNewMatch) {
  answering_ = false;
  config_.ordering = config::Ordering::kPartition;
  const auto group = Start({Named("s")});
  Send(5);
  ASSERT_TRUE(Until([&] { return calls_.size() == 1; }));
  config_.match.type = {"other", {}, "test"};
  Apply(*group, {Named("s")});
  AnswerAll();
  ASSERT_TRUE(Until([&] { return Committed() == 5; }));
  EXPECT_EQ(Got("s"), Numbers(0, 1));
}

TEST_F(GroupReloadTest, OneThatIsAddedGetsWhatComesNextAndTheOthersGoOn) {
  const auto group = Start({Named("a")});
  Send(3);
  ASSERT_TRUE(Until([&] { return Committed() == 3; }));
  Apply(*group, {Named("a"), Named("b")});
  Send(3);
  ASSERT_TRUE(Until([&] { return Committed() == 6; }));
  EXPECT_EQ(Got("a").size(), 6U);
  EXPECT_EQ(Got("b").size(), 3U);
  EXPECT_EQ(conditions_.Get("Delivering/b").reason, "Delivering");
  EXPECT_TRUE(JoinedOnce());
}

TEST_F(GroupReloadTest, OneThatIsAddedGoesOnAfterARestart) {
  auto group = Start({Named("a")});
  Send(3);
  ASSERT_TRUE(Until([&] { return Committed() == 3; }));
  failing_ = {"/b"};
  Apply(*group, {Named("a"), Named("b")});
  Send(3);
  ASSERT_TRUE(Until([&] { return Got("a").size() == 6 && Got("b").size() >= 3; }));
  Pass(milliseconds(200));  // the last commit's way
  group.reset();
  Pass(milliseconds(100));  // what it had sent is still read
  calls_.clear();
  failing_.clear();
  group = Start({Named("a"), Named("b")});
  ASSERT_TRUE(Until([&] { return Committed() == 6; }));
  EXPECT_EQ(Got("a"), Numbers(0, 0)) << "it had settled all of them";
  EXPECT_EQ(Got("b").size(), 3U);
}

TEST_F(GroupReloadTest, OneThatIsRemovedFinishesWhatIsInFlightAndHoldsNothingUp) {
  failing_ = {"/b"};
  const auto group = Start({Named("a"), Named("b")});
  Send(5);
  ASSERT_TRUE(Until([&] { return Got("a").size() == 5; }));
  EXPECT_LE(Committed(), 0);
  Apply(*group, {Named("a")});
  EXPECT_TRUE(Until([&] { return Committed() == 5; }));
  ASSERT_TRUE(Until(
      [&] { return conditions_.Get("Delivering/b").type.empty() || group->names().size() == 1; }));
  EXPECT_EQ(Gauge("outrigger_delivery_in_flight{subscription=\"b\""), -1);
  EXPECT_EQ(Gauge("outrigger_consumer_events_total{outcome=\"delivered\",subscription=\"b\""), -1);
  const size_t calls = Got("b").size();
  Send(5);
  EXPECT_TRUE(Until([&] { return Committed() == 10; }));
  EXPECT_EQ(Got("b").size(), calls);
  EXPECT_TRUE(JoinedOnce());
}

TEST_F(GroupReloadTest, AChangeThatIsTakenBackIsNone) {
  answering_ = false;
  const auto group = Start({Named("s", "old")});
  Send(1);
  ASSERT_TRUE(Until([&] { return calls_.size() == 1; }));
  Apply(*group, {Named("s", "new")});
  Apply(*group, {Named("s", "old")});
  AnswerAll();
  Send(4);
  ASSERT_TRUE(Until([&] { return Committed() == 5; }));
  EXPECT_EQ(Got("old").size(), 5U);
}

TEST_F(GroupReloadTest, ATopicThatIsAddedLeavesThoseThatStayAlone) {
  broker_->CreateTopic("two", 1);
  const auto group = Start({Named("a"), Named("b")});
  Send(2);
  ASSERT_TRUE(Until([&] { return Committed() == 2; }));
  answering_ = false;
  Send(1);
  ASSERT_TRUE(Until([&] { return Got("a").size() == 3 && Got("b").size() == 3; }));
  config::Subscription both = Named("b");
  both.topics.push_back({"two", {}, "test"});
  Apply(*group, {Named("a"), both});
  Pass(milliseconds(300));
  AnswerAll();
  Send(2, "two");
  ASSERT_TRUE(Until([&] { return Committed() == 3 && Committed("two") == 2; }));
  EXPECT_EQ(Got("a").size(), 3U);
  EXPECT_EQ(Got("b").size(), 5U);
  Apply(*group, {Named("a"), Named("b")});
  Send(2);
  ASSERT_TRUE(Until([&] { return Committed() == 5; }));
  EXPECT_EQ(Got("a").size(), 5U);
}

TEST_F(GroupReloadTest, ManyChangesUnderLoadLoseNothing) {
  const auto group = Start({Named("a"), Named("b", "0")});
  for (int n = 1; n <= 30; ++n) {
    Send(20);
    Subscriptions subscriptions{Named("a")};
    if (n % 5 != 0) subscriptions.push_back(Named("b", std::to_string(n)));
    Apply(*group, std::move(subscriptions));
    Pass(milliseconds(n));
  }
  Apply(*group, {Named("a")});
  ASSERT_TRUE(Until([&] { return Committed() == 600; }));
  auto got = Got("a");
  std::ranges::sort(got);
  EXPECT_EQ(got, Numbers(0, 600));
  EXPECT_TRUE(JoinedOnce());
}

}  // namespace
}  // namespace outrigger::deliver
