// Several subscriptions in one consumer group on the embedded broker.
#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <algorithm>
#include <map>
#include <set>

#include "support/group_fixture.h"

namespace outrigger::deliver {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kJoinGroup = 11;  // ApiKey of JoinGroupRequest

class GroupTest : public test::GroupFixture {
 protected:
  GroupTest() {
    config_.commit_interval = milliseconds(1);
    config_.retry = {
        .attempts = 100, .backoff_initial = milliseconds(1), .backoff_max = milliseconds(20)};
    answer_to_ = [this](const http::Request& request) {
      http::Response response;
      if (failing_.contains(NameOf(request))) response.status = 500;
      return response;
    };
  }

  config::Subscription Named(const std::string& name) const {
    config::Subscription subscription = config_;
    subscription.name = name;
    return subscription;
  }
  static std::string NameOf(const http::Request& request) {
    return std::string(request.head().Find("outrigger-subscription"));
  }
  // The calls to a subscription's handler: what `header` of each says.
  std::vector<std::string> Calls(const std::string& name, const char* header) const {
    std::vector<std::string> said;
    for (const auto& call : calls_)
      if (NameOf(*call) == name) said.emplace_back(call->head().Find(header));
    return said;
  }
  size_t Count(const std::string& name) const { return Calls(name, "outrigger-offset").size(); }
  std::string Reason(const std::string& name) {
    return conditions_.Get("Delivering/" + name).reason;
  }
  // As kill -9 would, but for what the broker has been told.
  void Kill(std::unique_ptr<Group>& group) {
    Pass(milliseconds(200));  // the last commit's way
    group.reset();
    Pass(milliseconds(100));  // what it had sent is still read
    calls_.clear();
  }

  std::set<std::string> failing_;
};

TEST_F(GroupTest, ARecordIsFetchedByOneConsumerAndGivenToEachSubscription) {
  rd_kafka_mock_start_request_tracking(mock_);
  const auto group = Start({Named("a"), Named("b")});
  Send(20);
  ASSERT_TRUE(Until([&] { return Committed() == 20; }));
  std::vector<std::string> offsets;
  for (int n = 0; n < 20; ++n) offsets.push_back(std::to_string(n));
  for (const char* name : {"a", "b"}) {
    auto got = Calls(name, "outrigger-offset");
    std::ranges::sort(got, {}, [](const auto& text) { return std::stoi(text); });
    EXPECT_EQ(got, offsets) << name;
    EXPECT_EQ(Reason(name), "Delivering");
  }
  size_t count = 0;
  size_t joins = 0;
  rd_kafka_mock_request_t** requests = rd_kafka_mock_get_requests(mock_, &count);
  for (size_t i = 0; i < count; ++i)
    if (rd_kafka_mock_request_api_key(requests[i]) == kJoinGroup) ++joins;
  rd_kafka_mock_request_destroy_array(requests, count);
  EXPECT_LE(joins, 2U) << "one member: without an id, and with it";
}

TEST_F(GroupTest, TheOffsetMovesWhenAllHaveSettled) {
  answering_ = false;
  const auto group = Start({Named("a"), Named("b")});
  Send(1);
  ASSERT_TRUE(Until([&] { return calls_.size() == 2; }));
  calls_[0]->Answer({});
  Pass(milliseconds(300));
  EXPECT_EQ(Committed(), 0);
  calls_[1]->Answer({});
  EXPECT_TRUE(Until([&] { return Committed() == 1; }));
}

TEST_F(GroupTest, OneThatFailsDelaysOnlyItself) {
  failing_ = {"b"};
  const auto group = Start({Named("a"), Named("b")});
  Send(500);
  ASSERT_TRUE(Until([&] { return Count("a") == 500; }));
  EXPECT_EQ(Committed(), 0);
  EXPECT_TRUE(Until([&] { return Reason("b") == "AppDegraded"; }));
  EXPECT_EQ(Reason("a"), "Delivering");
  Send(100);
  EXPECT_TRUE(Until([&] { return Count("a") == 600; }));
  failing_.clear();
  EXPECT_TRUE(Until([&] { return Committed() == 600; }));
  EXPECT_EQ(Count("a"), 600U);
}

TEST_F(GroupTest, AfterARestartEachGoesOnWithWhatItHasNotSettledAndItsAttempts) {
  failing_ = {"b"};
  auto group = Start({Named("a"), Named("b")});
  Send(1);
  ASSERT_TRUE(Until([&] { return Count("b") >= 4; }));
  Send(3);
  ASSERT_TRUE(Until([&] { return Count("a") == 4; }));
  const size_t tried = Count("b");
  Kill(group);
  std::string metadata;
  ASSERT_EQ(Committed("one", 0, &metadata), 0);
  EXPECT_TRUE(metadata.starts_with("or3:")) << metadata;
  group = Start({Named("a"), Named("b")});
  ASSERT_TRUE(Until([&] { return Count("b") >= 4; }));
  const auto attempts = Calls("b", "outrigger-attempt");
  EXPECT_GE(std::stoul(*std::ranges::max_element(
                attempts, {}, [](const auto& text) { return std::stoul(text); })),
            std::min<size_t>(tried, 4));
  failing_.clear();
  ASSERT_TRUE(Until([&] { return Committed() == 4; }));
  EXPECT_EQ(Count("a"), 0U) << "it had settled all of them";
}

TEST_F(GroupTest, ASubscriptionThatIsAddedBeginsWhereTheGroupIs) {
  failing_ = {"b"};
  auto group = Start({Named("a"), Named("b")});
  Send(3);
  ASSERT_TRUE(Until([&] { return Count("a") == 3 && Count("b") >= 3; }));
  Kill(group);
  failing_.clear();
  group = Start({Named("c"), Named("b"), Named("a")});
  ASSERT_TRUE(Until([&] { return Committed() == 3; }));
  EXPECT_EQ(Count("a"), 0U);
  EXPECT_EQ(Count("b"), 3U);
  EXPECT_EQ(Count("c"), 3U);
}

TEST_F(GroupTest, AGroupOfOneThatGetsASecondDeliversAgainWhatItHadSettledAheadAndSkipsNothing) {
  answering_ = false;
  auto group = Start({Named("a")});
  Send(3);
  ASSERT_TRUE(Until([&] { return calls_.size() == 3; }));
  calls_[1]->Answer({});
  std::string metadata;
  ASSERT_TRUE(Until([&] { return Committed("one", 0, &metadata) == 0 && !metadata.empty(); }));
  EXPECT_TRUE(metadata.starts_with("or1:")) << metadata;
  Kill(group);
  answering_ = true;
  group = Start({Named("b"), Named("a")});
  ASSERT_TRUE(Until([&] { return Committed() == 3; }));
  EXPECT_EQ(Count("a"), 3U);
  EXPECT_EQ(Count("b"), 3U);
}

TEST_F(GroupTest, OneThatIsLeftAloneReadsWhatItHadInItsGroup) {
  failing_ = {"b"};
  auto group = Start({Named("a"), Named("b")});
  Send(3);
  ASSERT_TRUE(Until([&] { return Count("a") == 3 && Count("b") >= 3; }));
  Kill(group);
  group = Start({Named("a")});
  ASSERT_TRUE(Until([&] { return Reason("a") == "Delivering"; }));
  Send(1);
  ASSERT_TRUE(Until([&] { return Committed() == 4; }));
  EXPECT_EQ(Calls("a", "outrigger-offset"), std::vector<std::string>{"3"});
}

TEST_F(GroupTest, EachGetsItsOwnTopicsAndWhatItMatches) {
  broker_->CreateTopic("two", 1);
  broker_->CreateTopic("three", 1);
  auto first = Named("first"), both = Named("both"), some = Named("some");
  both.topics = {{"one", {}, "test"}, {"two", {}, "test"}};
  some.topics = {{"^t.*", {}, "test"}};
  some.match.type = config::Text{"th*", {}, "test"};
  const auto group = Start({first, both, some});
  Send(2, "one");
  Send(3, "two");
  Send(4, "three");
  ASSERT_TRUE(Until(
      [&] { return Committed("one") == 2 && Committed("two") == 3 && Committed("three") == 4; }));
  EXPECT_EQ(Calls("first", "outrigger-topic"), std::vector<std::string>(2, "one"));
  std::map<std::string, int> topics;
  for (const auto& topic : Calls("both", "outrigger-topic")) ++topics[topic];
  EXPECT_EQ(topics, (std::map<std::string, int>{{"one", 2}, {"two", 3}}));
  EXPECT_EQ(Calls("some", "outrigger-topic"), std::vector<std::string>(4, "three"));
}

TEST_F(GroupTest, ADeadLetterTopicGoesToTheOthersOfItsGroupAlone) {
  broker_->CreateTopic("one.dead", 1);
  broker_->CreateTopic("one.dead.too", 1);
  auto a = Named("a"), b = Named("b");
  for (auto* each : {&a, &b}) each->topics = {{"^one.*", {}, "test"}};
  a.dead_letter = "one.dead";
  b.dead_letter = "one.dead.too";
  const auto group = Start({a, b});
  Send(1, "one.dead");
  Send(1, "one.dead.too");
  ASSERT_TRUE(Until([&] { return Committed("one.dead") == 1 && Committed("one.dead.too") == 1; }));
  EXPECT_EQ(Calls("a", "outrigger-topic"), std::vector<std::string>{"one.dead.too"});
  EXPECT_EQ(Calls("b", "outrigger-topic"), std::vector<std::string>{"one.dead"});
}

TEST_F(GroupTest, WhoseAppIsDownDelaysTheOthersOnlyWhenTheMemoryIsFull) {
  max_waiting_bytes_ = 400'000;  // some two hundred deliveries
  auto away = Named("away");
  away.deliver.url = {"http://127.0.0.1:1/h", {}, "test"};
  const auto group = Start({Named("a"), away});
  Send(100);
  ASSERT_TRUE(Until([&] { return Count("a") == 100 && Reason("away") == "AppDown"; }));
  for (int n = 0; n < 10; ++n) Send(100);
  // How many of a's own wait beside them when the bound is reached differs from run to run.
  ASSERT_TRUE(Until([&] { return Count("a") > 130; })) << Count("a");
  Pass(milliseconds(500));
  EXPECT_LT(Count("a"), 1100U) << "what waits for the other one is bounded";
  EXPECT_EQ(Committed(), 0);
}

TEST_F(GroupTest, SixteenSubscriptionsShareOneConsumer) {
  std::vector<config::Subscription> all;
  for (int n = 0; n < 16; ++n) all.push_back(Named("s" + std::to_string(n)));
  all[7].circuit.failures = 100'000;
  all[7].retry.backoff_initial = all[7].retry.backoff_max = seconds(1);
  failing_ = {"s7"};
  auto group = Start(all);
  Send(50);
  ASSERT_TRUE(Until(
      [&] {
        for (const auto& each : all)
          if (Count(each.name) < 50) return false;
        return true;
      },
      seconds(60)));
  EXPECT_EQ(Committed(), 0);
  Kill(group);
  failing_.clear();
  group = Start(all);
  ASSERT_TRUE(Until([&] { return Committed() == 50; }, seconds(60)));
  for (const auto& each : all) EXPECT_EQ(Count(each.name), each.name == "s7" ? 50U : 0U);
}

TEST_F(GroupTest, ARevokedPartitionWaitsForAllOfItsSubscriptions) {
  answering_ = false;
  const auto group = Start({Named("a"), Named("b")});
  Send(1);
  ASSERT_TRUE(Until([&] { return calls_.size() == 2; }));
  bool stopped = false;
  group->Stop(seconds(20), [&] { stopped = true; });
  calls_[0]->Answer({});
  Pass(milliseconds(300));
  EXPECT_FALSE(stopped);
  EXPECT_EQ(Reason("a"), "ShuttingDown");
  EXPECT_EQ(Reason("b"), "ShuttingDown");
  calls_[1]->Answer({});
  ASSERT_TRUE(Until([&] { return stopped; }));
  EXPECT_EQ(Committed(), 1);
}

}  // namespace
}  // namespace outrigger::deliver
