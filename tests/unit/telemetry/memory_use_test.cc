// The memory budget as /status and the metrics show it.
#include "telemetry/memory_use.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace outrigger::telemetry {
namespace {

using base::MemoryShare;
using testing::HasSubstr;
using testing::Not;

constexpr uint64_t kMiB = 1 << 20;

TEST(MemoryUse, TellsBudgetSharesAndUse) {
  Metrics metrics;
  const MemoryUse use(base::MemoryBudget(64 * kMiB, {1, 1, kMiB}), metrics);
  use.Set(MemoryShare::kKafka, 4711);
  EXPECT_THAT(use.Json(),
              HasSubstr(R"({"budget":67108864,"shares":{"kafka":{"bytes":10485760,"used":4711},)"));
  EXPECT_THAT(use.Json(), HasSubstr(R"("fetch":{"bytes":8388608,"used":0}}})"));
  EXPECT_THAT(metrics.Text(), HasSubstr("outrigger_memory_budget_bytes 67108864"));
  EXPECT_THAT(metrics.Text(), HasSubstr("outrigger_memory_share_bytes{share=\"kafka\"} 10485760"));
  EXPECT_THAT(metrics.Text(), HasSubstr("outrigger_memory_used_bytes{share=\"kafka\"} 4711"));
  EXPECT_THAT(metrics.Text(), HasSubstr("outrigger_memory_used_bytes{share=\"fetch\"} 0"));
}

TEST(MemoryUse, LeavesOutSharesThatHaveNothing) {
  Metrics metrics;
  const MemoryUse use(base::MemoryBudget(64 * kMiB, {}), metrics);
  use.Set(MemoryShare::kFetch, 1);
  EXPECT_THAT(use.Json(), Not(HasSubstr("fetch")));
  EXPECT_THAT(metrics.Text(), Not(HasSubstr("share=\"fetch\"")));
}

}  // namespace
}  // namespace outrigger::telemetry
