#include "publish/event_router.h"

#include <gtest/gtest.h>

#include "config/load.h"

namespace outrigger::publish {
namespace {

class EventRouterTest : public testing::Test {
 protected:
  void SetRoutes(const std::string& routes) {
    auto loaded = config::LoadText("apiVersion: outrigger/v1\nkind: Sidecar\nroutes:\n" + routes,
                                   "test.yaml", [](const char*) { return std::nullopt; });
    router_.SetRoutes(Routes::Build(loaded.config, loaded.problems));
    ASSERT_TRUE(loaded.ok()) << loaded.problems.front().text();
  }
  tl::expected<std::vector<OutgoingRecord>, EventRouter::RuleRefused> Prepare(
      const std::string& data, const Ask& ask = {}) {
    event::Event event;
    event.type = "a.b";
    event.data = data;
    event.data_is_json = true;
    EXPECT_TRUE(Complete(event, "test", {}));
    auto rules = router_.Select(event);
    EXPECT_TRUE(rules);
    return router_.Prepare(*rules, std::move(event), ask, {});
  }
  double Unkeyed(const std::string& label) { return series_.Of(label).unkeyed.value(); }

  telemetry::Metrics metrics_;
  TopicSeries series_{metrics_};
  EventRouter router_{series_};
};

TEST_F(EventRouterTest, EachRuleThatTakesTheEventGivesARecordWithTheSameData) {
  SetRoutes(
      "  - {topic: first, key: data.k, continue: true, deadLetter: dead}\n"
      "  - {topic: second, ack: memory}\n");
  const auto records = Prepare(R"({"k":"key"})");
  ASSERT_TRUE(records);
  ASSERT_EQ(records->size(), 2U);
  const OutgoingRecord &first = records->front(), &second = records->back();
  EXPECT_EQ(first.record.topic, "first");
  EXPECT_EQ(first.record.key, "key");
  EXPECT_EQ(first.destination.dead_letter, "dead");
  EXPECT_EQ(first.destination.series, &series_.Of("first"));
  EXPECT_EQ(first.ack, config::Ack::kKafka);
  EXPECT_EQ(second.record.topic, "second");
  EXPECT_EQ(second.record.value, first.record.value);
  EXPECT_EQ(second.ack, config::Ack::kMemory);
}

TEST_F(EventRouterTest, WhatTheRequestAsksForWinsOverTheRule) {
  SetRoutes("  - {topic: t, ack: memory}\n");
  EXPECT_EQ(Prepare("{}", {.ack = config::Ack::kKafka})->front().ack, config::Ack::kKafka);
}

TEST_F(EventRouterTest, WhatOneRuleRefusesIsRefusedWholeAndTheRuleIsNamed) {
  SetRoutes(
      "  - {topic: first, continue: true}\n"
      "  - {topic: second, key: data.k, keyRequired: true}\n");
  const auto records = Prepare("{}");
  ASSERT_FALSE(records);
  EXPECT_EQ(records.error().rule->path, "routes[1]");
}

TEST_F(EventRouterTest, ATopicBeyondMaxTopicsIsRefusedAndNamesTheField) {
  SetRoutes("  - {topic: 'x.{data.t}', maxTopics: 1}\n");
  EXPECT_TRUE(Prepare(R"({"t":"a"})"));
  const auto records = Prepare(R"({"t":"b"})");
  ASSERT_FALSE(records);
  EXPECT_EQ(records.error().refused.rejection.limit, "routes[0].maxTopics");
}

TEST_F(EventRouterTest, AnEventWithoutTheKeyOfItsRuleIsCounted) {
  SetRoutes("  - {topic: t, key: data.k}\n");
  EXPECT_TRUE(Prepare("{}"));
  EXPECT_TRUE(Prepare(R"({"k":"key"})"));
  EXPECT_EQ(Unkeyed("t"), 1);
}

}  // namespace
}  // namespace outrigger::publish
