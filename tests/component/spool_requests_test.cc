// The requests about the spool, on the embedded broker: what they show, what they change, and that
// the spool's own numbers stay right.
#include "publish/spool_requests.h"

#include <gmock/gmock.h>

#include "publish/answer.h"
#include "publish/endpoint.h"
#include "publish/record_list.h"
#include "support/fake_request.h"
#include "support/spool_fixture.h"

namespace outrigger::publish {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using Query = std::vector<std::pair<std::string, std::string>>;

class SpoolRequestsTest : public SpoolFixture {
 protected:
  SpoolRequestsTest() { BrokerDown(); }

  http::Response Ask(const Endpoint& endpoint, const std::string& body = {}, Query query = {},
                     const std::string& argument = {}, uint64_t room = UINT64_MAX) {
    const auto request = std::make_shared<test::FakeRequest>();
    request->endpoint = endpoint.pattern;
    request->mutable_head().path = std::string(endpoint.prefix()) + argument;
    request->mutable_head().query = std::move(query);
    request->body() = body;
    request->room = room;
    SpoolRequests(*spool_, publisher_->json()).OnBody(request);
    EXPECT_TRUE(test::RunUntil(loop_, [&] { return request->answer.has_value(); }));
    return request->answer.value_or(http::Response{});
  }
  void SpoolEvents(const std::string& type, const std::vector<std::string>& values) {
    for (const auto& value : values)
      ASSERT_EQ(StatusOf(Await(Publish(type, "k", value, "id-" + value))), 202);
  }
  // As after a rejection by Kafka.
  void Quarantine(int64_t id) {
    bool done = false;
    store_->Quarantine(id, "refused", "the broker says no", [&](const auto&) { done = true; });
    ASSERT_TRUE(test::RunUntil(loop_, [&] { return done; }));
    Kill();
    Start();
  }
  double Dropped() { return spool_metrics_[telemetry::SpoolOutcome::kDropped].value(); }
  std::string StatusOfEvent(const std::string& id) {
    auto found = std::make_shared<std::optional<Outcome>>();
    publisher_->Find(id, [found](const Outcome& outcome) { *found = outcome; });
    const auto targets = Await(found).targets;
    if (targets.empty()) return "unknown";
    return targets[0].status == Target::Status::kSpooled ? "spooled" : "other";
  }
};

TEST_F(SpoolRequestsTest, WhatWaitsIsListedPageByPage) {
  SpoolEvents("a.x", {"1", "2", "3"});
  const std::string first = Ask(kSpoolEndpoint, {}, {{"limit", "2"}}).body;
  EXPECT_THAT(first, HasSubstr(R"("eventId":"id-1")"));
  EXPECT_THAT(first, HasSubstr(R"("value":"{\"k\":\"k\",\"v\":\"2\"}")"));
  EXPECT_THAT(first, HasSubstr(R"(],"next":2})"));
  const std::string second = Ask(kSpoolEndpoint, {}, {{"after", "2"}}).body;
  EXPECT_THAT(second, Not(HasSubstr("id-2")));
  EXPECT_THAT(second, HasSubstr(R"("eventId":"id-3")"));
  EXPECT_EQ(Ask(kSpoolEndpoint, {}, {{"after", "3"}}).body,
            "{\"process\":" + std::to_string(getpid()) + R"(,"records":[]})");
  EXPECT_THAT(Ask(kSpoolEndpoint, {}, {{"topic", "second"}}).body,
              HasSubstr(R"("records":[],"next":3})"));
  EXPECT_EQ(Ask(kSpoolEndpoint, {}, {{"after", "x"}}).status, 400);
}

TEST_F(SpoolRequestsTest, AnAnswerThatHasNoRoomIsRefusedAndOneWithLessRoomIsShorter) {
  SpoolEvents("a.x", {"1", "2", "3"});
  EXPECT_EQ(Ask(kSpoolEndpoint, {}, {}, {}, kListBytes + 20).status, 503);
  const std::string shorter = Ask(kSpoolEndpoint, {}, {}, {}, kListBytes + 1000).body;
  EXPECT_THAT(shorter, HasSubstr("id-1"));
  EXPECT_THAT(shorter, Not(HasSubstr("id-3")));
  EXPECT_THAT(shorter, HasSubstr(R"("next":)"));
}

TEST_F(SpoolRequestsTest, AnEventIsFoundWhereverItIs) {
  SpoolEvents("a.x", {"1", "2"});
  Quarantine(1);
  EXPECT_THAT(Ask(kSpoolEventEndpoint, {}, {}, "id-1").body,
              HasSubstr(R"("in":"quarantine","reason":"refused","detail":"the broker says no")"));
  EXPECT_THAT(Ask(kSpoolEventEndpoint, {}, {}, "id-2").body, HasSubstr(R"("in":"spool")"));
  EXPECT_EQ(Ask(kSpoolEventEndpoint, {}, {}, "id-3").body, R"({"records":[]})");
}

TEST_F(SpoolRequestsTest, ARequeuedRecordComesToKafkaAfterThoseThatWait) {
  SpoolEvents("a.x", {"1", "2"});
  Quarantine(1);
  EXPECT_EQ(spool_->quarantined(), 1u);
  EXPECT_EQ(spool_->records(), 1u);
  const http::Response answer = Ask(kRequeueEndpoint, R"({"ids":[1,7]})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body, HasSubstr(R"({"id":1,"status":"requeued","now":3})"));
  EXPECT_THAT(answer.body, HasSubstr(R"({"id":7,"status":"refused","detail":)"));
  EXPECT_EQ(spool_->quarantined(), 0u);
  EXPECT_EQ(spool_->records(), 2u);
  EXPECT_EQ(StatusOfEvent("id-1"), "spooled");
  BrokerUp();
  EXPECT_TRUE(AwaitDrained());
  EXPECT_EQ(spool_->bytes(), 0u);
  EXPECT_THAT(Values("first")["k"], ElementsAre("2", "1"));
  EXPECT_EQ(StatusOf(Await(Publish("a.x", "k", "3"))) / 100, 2);
}

TEST_F(SpoolRequestsTest, AQuarantinedRecordThatIsDroppedIsGoneAndForgotten) {
  SpoolEvents("a.x", {"1", "2"});
  Quarantine(1);
  EXPECT_THAT(Ask(kDropQuarantinedEndpoint, R"({"ids":[1,2]})").body,
              HasSubstr(R"({"id":1,"status":"dropped"},{"id":2,"status":"refused")"));
  EXPECT_EQ(spool_->quarantined(), 0u);
  EXPECT_EQ(spool_->records(), 1u);
  EXPECT_EQ(Dropped(), 1);
  EXPECT_EQ(StatusOfEvent("id-1"), "unknown");
}

TEST_F(SpoolRequestsTest, ARecordThatIsDroppedFromTheSpoolDoesNotComeToKafka) {
  SpoolEvents("a.x", {"1", "2", "3"});
  Kill();  // the producer has none of them
  Start();
  EXPECT_THAT(Ask(kDropEndpoint, R"({"ids":[2]})").body,
              HasSubstr(R"({"id":2,"status":"dropped"})"));
  EXPECT_EQ(spool_->records(), 2u);
  EXPECT_EQ(Dropped(), 1);
  EXPECT_EQ(StatusOfEvent("id-2"), "unknown");
  SpoolEvents("a.x", {"2"});  // an event that was dropped may come again
  BrokerUp();
  EXPECT_TRUE(AwaitDrained());
  EXPECT_EQ(spool_->bytes(), 0u);
  EXPECT_THAT(Values("first")["k"], ElementsAre("1", "3", "2"));
}

TEST_F(SpoolRequestsTest, WhenAllThatWaitsIsDroppedEventsGoStraightToKafkaAgain) {
  SpoolEvents("a.x", {"1", "2"});
  Kill();
  Start();
  Ask(kDropEndpoint, R"({"ids":[1,2]})");
  EXPECT_EQ(spool_->records(), 0u);
  EXPECT_EQ(spool_->bytes(), 0u);
  BrokerUp();
  spool_->SetOptions({.after = std::chrono::seconds(20)});
  EXPECT_EQ(StatusOf(Await(Publish("a.x", "k", "3"))), 200);
  EXPECT_THAT(Values("first")["k"], ElementsAre("3"));
}

TEST_F(SpoolRequestsTest, WhatTheProducerHasIsNotDropped) {
  BrokerUp();
  ASSERT_EQ(StatusOf(Await(Publish("a.warm-up", "k", "0"))) / 100, 2);
  EXPECT_TRUE(AwaitDrained());
  SlowBroker(1000);
  ASSERT_EQ(StatusOf(Await(Publish("a.x", "k", "1"))), 202);
  EXPECT_THAT(Ask(kDropEndpoint, R"({"ids":[1,2]})").body, Not(HasSubstr("dropped")));
  EXPECT_EQ(spool_->records(), 1u);
  SlowBroker(0);
  EXPECT_TRUE(AwaitDrained());
  EXPECT_EQ(Dropped(), 0);
  EXPECT_THAT(Values("first")["k"], ElementsAre("0", "1"));
}

TEST_F(SpoolRequestsTest, RecordsThatAreDroppedWhileTheSpoolDrainsEitherCameToKafkaOrDidNot) {
  constexpr int kEvents = 2000;
  std::vector<Decided> outcomes;
  for (int i = 0; i < kEvents; ++i)
    outcomes.push_back(Publish("a.x", std::to_string(i % 7), std::to_string(i)));
  for (const auto& outcome : outcomes) ASSERT_EQ(StatusOf(Await(outcome)), 202);
  Kill();
  Start();
  BrokerUp();
  ASSERT_TRUE(test::RunUntil(loop_, [&] { return spool_->records() < kEvents; }));
  for (int from = kEvents; from > 0; from -= 20) {
    std::string ids;
    for (int id = from; id > from - 20; --id) ids += (ids.empty() ? "" : ",") + std::to_string(id);
    Ask(kDropEndpoint, "{\"ids\":[" + ids + "]}");
  }
  EXPECT_TRUE(AwaitDrained());
  EXPECT_EQ(spool_->bytes(), 0u);
  size_t stored = 0;
  for (const auto& [key, values] : Values("first")) {
    EXPECT_TRUE(std::ranges::is_sorted(values, {}, [](const auto& v) { return std::stoi(v); }));
    stored += values.size();
  }
  EXPECT_EQ(static_cast<double>(stored) + Dropped(), kEvents);
  EXPECT_GT(Dropped(), 0);
  spool_->SetOptions({.after = std::chrono::seconds(20)});
  for (int key = 0; key < 7; ++key)
    EXPECT_EQ(StatusOf(Await(Publish("a.x", std::to_string(key), "9999"))), 200);
}

TEST_F(SpoolRequestsTest, ABodyThatNamesNoRecordsIsRefused) {
  for (const char* body : {"", "{}", "[1]", R"({"ids":["1"]})", R"({"ids":[0]})",
                           R"({"ids":[1],"all":true})", R"({"ids":1})"})
    EXPECT_EQ(Ask(kDropEndpoint, body).status, 400) << body;
  EXPECT_EQ(Ask(kDropEndpoint, R"({"ids":[]})").body, R"({"results":[]})");
}

}  // namespace
}  // namespace outrigger::publish
