// One budget, shared out.
#include "base/memory_budget.h"

#include <gtest/gtest.h>

#include <string>

namespace outrigger::base {
namespace {

constexpr uint64_t kMiB = 1 << 20;

uint64_t SumOf(const MemoryBudget& budget) {
  uint64_t sum = 0;
  for (size_t i = 0; i < kMemoryShares; ++i) sum += budget.of(static_cast<MemoryShare>(i));
  return sum;
}

TEST(MemoryBudget, SharesAreTheWholeBudgetAndNoMore) {
  for (const size_t groups : {0, 1, 32}) {
    const MemoryBudget budget(128 * kMiB, {groups, groups, kMiB});
    EXPECT_EQ(SumOf(budget), 128 * kMiB) << groups;
    EXPECT_EQ(SumOf({128 * kMiB, {groups, groups, kMiB, true}}), 128 * kMiB) << groups;
  }
  EXPECT_LE(SumOf(MemoryBudget(33 * kMiB + 17, {3, 3, kMiB})), 33 * kMiB + 17);
}

TEST(MemoryBudget, SharesOfA256MiBContainer) {
  const MemoryBudget budget(128 * kMiB, {32, 32, kMiB});
  EXPECT_EQ(budget.of(MemoryShare::kKafka), 20 * kMiB);
  EXPECT_EQ(budget.of(MemoryShare::kDeadLetters), 10 * kMiB);
  EXPECT_EQ(budget.of(MemoryShare::kKnownEvents), 4 * kMiB);
  EXPECT_EQ(budget.of(MemoryShare::kApplication), 30 * kMiB);
  EXPECT_EQ(budget.of(MemoryShare::kBodies), 32 * kMiB);
  EXPECT_EQ(budget.of(MemoryShare::kAnswers), 16 * kMiB);
  EXPECT_EQ(budget.of(MemoryShare::kFetch), 16 * kMiB);
  EXPECT_EQ(budget.fetch_of_group(), kMiB / 2);
  EXPECT_EQ(budget.application_of_subscription(), 30 * kMiB / 32);
}

TEST(MemoryBudget, GroupsAndSubscriptionsDivideTheirSharesEach) {
  const MemoryBudget budget(128 * kMiB, {2, 6, kMiB});
  EXPECT_EQ(budget.fetch_of_group(), 8 * kMiB);
  EXPECT_EQ(budget.application_of_subscription(), 5 * kMiB);
}

TEST(MemoryBudget, WithoutSubscriptionsTheirSharesAreForWhatWaitsForKafka) {
  const MemoryBudget budget(128 * kMiB, {});
  EXPECT_EQ(budget.of(MemoryShare::kKafka), 76 * kMiB);
  EXPECT_EQ(budget.of(MemoryShare::kFetch), 0U);
  EXPECT_EQ(budget.of(MemoryShare::kApplication), 0U);
  EXPECT_EQ(budget.of(MemoryShare::kBodies), 32 * kMiB);
}

TEST(MemoryBudget, ASpoolHasItsShareOfWhatWouldWaitInMemory) {
  const MemoryBudget publishing(128 * kMiB, {0, 0, kMiB, true});
  EXPECT_EQ(publishing.of(MemoryShare::kKafka), 56 * kMiB);
  EXPECT_EQ(publishing.of(MemoryShare::kSpool), 20 * kMiB);
  const MemoryBudget both(128 * kMiB, {32, 32, kMiB, true});
  EXPECT_EQ(both.of(MemoryShare::kKafka), 16 * kMiB);
  EXPECT_EQ(both.of(MemoryShare::kApplication), 24 * kMiB);
  EXPECT_EQ(both.of(MemoryShare::kSpool), 10 * kMiB);
}

TEST(MemoryBudget, OfAContainerIsHalfItsLimit) {
  EXPECT_EQ(MemoryBudget::ForContainer(256 * kMiB, {1, 1, kMiB}).total(), 128 * kMiB);
  EXPECT_EQ(MemoryBudget::ForContainer(64 * kMiB, {1, 1, kMiB}).total(), 32 * kMiB);
  EXPECT_EQ(MemoryBudget::ForContainer(std::nullopt, {1, 1, kMiB}).total(), 256 * kMiB);
}

TEST(MemoryBudget, OfASmallContainerIsTheLeastThatWorksButLeavesAQuarter) {
  const MemoryDemand demand{1, 1, kMiB};
  EXPECT_EQ(MemoryBudget::ForContainer(48 * kMiB, demand).total(), MemoryBudget::Least(demand));
  EXPECT_EQ(MemoryBudget::ForContainer(24 * kMiB, demand).total(), 18 * kMiB);
  const MemoryDemand many{100, 100, kMiB};
  EXPECT_EQ(MemoryBudget::ForContainer(std::nullopt, many).total(), MemoryBudget::Least(many));
}

TEST(MemoryBudget, TheLeastThatWorksHasRoomForTheLargestEventInEveryShare) {
  for (const size_t groups : {0, 1, 7, 32}) {
    for (const uint64_t event : {uint64_t{1}, kMiB, 40 * kMiB}) {
      const MemoryDemand demand{groups, groups, event, event == kMiB};
      const MemoryBudget budget(MemoryBudget::Least(demand), demand);
      const std::string what = std::to_string(groups) + " groups, " + std::to_string(event);
      EXPECT_GT(budget.of(MemoryShare::kKafka) / 2, event) << what;
      EXPECT_GT(budget.of(MemoryShare::kBodies), event) << what;
      if (groups == 0) continue;
      EXPECT_GT(budget.of(MemoryShare::kDeadLetters) / 2, event) << what;
      EXPECT_GE(budget.fetch_of_group(), 512U << 10) << what;
      EXPECT_GE(budget.application_of_subscription(), 512U << 10) << what;
    }
  }
  EXPECT_EQ(MemoryBudget::Least({32, 32, kMiB}), 128 * kMiB);
  EXPECT_EQ(MemoryBudget::Least({1, 1, kMiB}), 26 * kMiB);
  EXPECT_EQ(MemoryBudget::Least({0, 0, kMiB}), 5 * kMiB);
}

TEST(MemoryBudget, EveryShareHasAName) {
  for (size_t i = 0; i < kMemoryShares; ++i)
    EXPECT_FALSE(std::string(NameOf(static_cast<MemoryShare>(i))).empty());
  EXPECT_STREQ(NameOf(MemoryShare::kFetch), "fetch");
}

}  // namespace
}  // namespace outrigger::base
