// The budget in force, and the limits of the HTTP server under it.
#include "app/memory.h"

#include <gtest/gtest.h>

namespace outrigger::app {
namespace {

constexpr uint64_t kMiB = 1 << 20;

TEST(ChooseBudget, TakesTheConfigsOwn) {
  config::Config config;
  config.memory_budget = 77 * kMiB;
  const ChosenBudget chosen = ChooseBudget(config);
  EXPECT_EQ(chosen.budget.total(), 77 * kMiB);
  EXPECT_EQ(chosen.warning, "");
}

TEST(ChooseBudget, CountsGroupsUnlessKafkaIsDisabled) {
  config::Config config;
  config.memory_budget = 128 * kMiB;
  for (const char* group : {"a", "b", "b"}) config.subscriptions.emplace_back().group = group;
  EXPECT_EQ(ChooseBudget(config).budget.fetch_of_group(), 8 * kMiB);
  EXPECT_EQ(ChooseBudget(config).budget.application_of_subscription(), 10 * kMiB);
  config.kafka.enabled = false;
  EXPECT_EQ(ChooseBudget(config).budget.of(base::MemoryShare::kFetch), 0U);
}

TEST(BoundByBudget, TheSmallerBoundCountsAndIsNamed) {
  http::Limits limits;  // 64 MiB and 32 MiB
  BoundByBudget(base::MemoryBudget(256 * kMiB, {}), limits);
  EXPECT_EQ(limits.max_bodies, 64 * kMiB);
  EXPECT_EQ(limits.FieldOf(limits.bodies_limit), "http.maxBodies");
  limits.max_answers = 2 * kMiB;
  BoundByBudget(base::MemoryBudget(64 * kMiB, {}), limits);
  EXPECT_EQ(limits.max_bodies, 16 * kMiB);
  EXPECT_EQ(limits.FieldOf(limits.bodies_limit), "memory.budget");
  EXPECT_EQ(limits.max_answers, 2 * kMiB);
  EXPECT_EQ(limits.FieldOf(limits.answers_limit), "http.maxAnswers");
}

}  // namespace
}  // namespace outrigger::app
