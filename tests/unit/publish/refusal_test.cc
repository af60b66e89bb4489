// What of the producer's refusals the caller is told.
#include "publish/refusal.h"

#include <gtest/gtest.h>

namespace outrigger::publish {
namespace {

kafka::Refusal Because(kafka::Reason reason, bool memory) {
  kafka::Refusal refusal;
  refusal.reason = reason;
  refusal.memory = memory;
  refusal.error = {base::Code::kUnavailable, "it is so", "do that", true};
  return refusal;
}

TEST(ToProblem, AFullShareNamesTheBudgetAndPasses) {
  const auto problem = ToProblem(Because(kafka::Reason::kQueueFull, true), "1");
  EXPECT_EQ(problem.status, 503);
  EXPECT_EQ(problem.limit, "memory.budget");
  EXPECT_EQ(problem.outcome, "none");
  EXPECT_EQ(problem.retry_after, kRetryAfterSeconds);
  EXPECT_EQ(problem.detail, "it is so; do that");
}

TEST(ToProblem, AnEventThatNoShareHoldsNamesTheBudgetToo) {
  const auto problem = ToProblem(Because(kafka::Reason::kTooLarge, true), "1");
  EXPECT_EQ(problem.status, 413);
  EXPECT_EQ(problem.limit, "memory.budget");
}

TEST(ToProblem, OtherRefusalsNameTheTopicsLimitOrNone) {
  EXPECT_EQ(ToProblem(Because(kafka::Reason::kTooLarge, false), "1").limit, "max.message.bytes");
  EXPECT_EQ(ToProblem(Because(kafka::Reason::kQueueFull, false), "1").limit, "");
  EXPECT_EQ(ToProblem(Because(kafka::Reason::kBroker, false), "1").limit, "");
}

}  // namespace
}  // namespace outrigger::publish
