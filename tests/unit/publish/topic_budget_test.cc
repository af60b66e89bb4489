#include "publish/topic_budget.h"

#include <gtest/gtest.h>

#include "config/load.h"

namespace outrigger::publish {
namespace {

std::shared_ptr<const Routes> Build(const std::string& routes) {
  auto loaded = config::LoadText("apiVersion: outrigger/v1\nkind: Sidecar\nroutes:\n" + routes,
                                 "test.yaml", [](const char*) { return std::nullopt; });
  auto built = Routes::Build(loaded.config, loaded.problems);
  EXPECT_TRUE(loaded.ok()) << loaded.problems.front().text();
  return built;
}

TEST(TopicBudget, ATemplateGivesMaxTopicsAndThoseAgainAndAgain) {
  const auto routes = Build("  - {topic: 'x.{data.t}', maxTopics: 2}\n");
  const Rule& rule = routes->rules().front();
  TopicBudget budget;
  EXPECT_EQ(budget.Take(rule, "x.a"), "");
  EXPECT_EQ(budget.Take(rule, "x.b"), "");
  EXPECT_EQ(budget.Take(rule, "x.c"),
            "routes[0].topic has given 2 topics already, and \"x.c\" would be one more than "
            "maxTopics allows");
  EXPECT_EQ(budget.Take(rule, "x.a"), "");
}

TEST(TopicBudget, ATopicThatIsNoTemplateIsNotCounted) {
  const auto routes = Build("  - {topic: plain}\n");
  TopicBudget budget;
  for (const char* topic : {"a", "b", "c"})
    EXPECT_EQ(budget.Take(routes->rules().front(), topic), "");
}

TEST(TopicBudget, AReloadKeepsTheTopicsOfATemplateWhereverItsRuleIsAndForgetsOthers) {
  const auto before = Build("  - {topic: 'x.{data.t}', maxTopics: 1}\n");
  const auto moved = Build(
      "  - {match: {type: a}, topic: plain}\n"
      "  - {topic: 'x.{data.t}', maxTopics: 1}\n");
  const auto without = Build("  - {topic: plain}\n");
  TopicBudget budget;
  EXPECT_EQ(budget.Take(before->rules()[0], "x.a"), "");
  budget.Keep(moved->rules());
  EXPECT_NE(budget.Take(moved->rules()[1], "x.b"), "");
  budget.Keep(without->rules());
  budget.Keep(moved->rules());
  EXPECT_EQ(budget.Take(moved->rules()[1], "x.b"), "");
}

}  // namespace
}  // namespace outrigger::publish
