// What of the producer's refusals the caller is told.
#include "publish/rejection.h"

#include <gtest/gtest.h>

#include "publish/answer.h"

namespace outrigger::publish {
namespace {

using telemetry::ProducerReason;

Rejection Because(kafka::Reason reason, bool memory, bool possibly_stored = false) {
  kafka::Refusal refusal;
  refusal.reason = reason;
  refusal.memory = memory;
  refusal.possibly_stored = possibly_stored;
  refusal.error = {base::Code::kUnavailable, "it is so", "do that", true};
  return ToRejection(refusal);
}

TEST(RefusalAsRejection, AFullShareNamesTheBudgetAndPasses) {
  const Rejection rejection = Because(kafka::Reason::kQueueFull, true);
  EXPECT_TRUE(rejection.retryable());
  EXPECT_EQ(rejection.limit, "memory.budget");
  EXPECT_EQ(rejection.outcome, RecordOutcome::kNone);
  EXPECT_EQ(rejection.detail, "it is so; do that");
  const http::Problem problem = ToProblem(rejection, "1");
  EXPECT_EQ(problem.status, 503);
  EXPECT_EQ(problem.limit, "memory.budget");
  EXPECT_EQ(problem.outcome, "none");
  EXPECT_EQ(problem.retry_after, kRetryAfterSeconds);
  EXPECT_EQ(problem.detail, "it is so; do that");
}

TEST(RefusalAsRejection, AnEventThatNoShareHoldsNamesTheBudgetToo) {
  const http::Problem problem = ToProblem(Because(kafka::Reason::kTooLarge, true), "1");
  EXPECT_EQ(problem.status, 413);
  EXPECT_EQ(problem.limit, "memory.budget");
}

TEST(RefusalAsRejection, OtherRefusalsNameTheTopicsLimitOrNone) {
  EXPECT_EQ(Because(kafka::Reason::kTooLarge, false).limit, "max.message.bytes");
  EXPECT_EQ(Because(kafka::Reason::kQueueFull, false).limit, "");
  EXPECT_EQ(Because(kafka::Reason::kBroker, false).limit, "");
}

TEST(RefusalAsRejection, WhatMayBeStoredIsUnknown) {
  EXPECT_EQ(Because(kafka::Reason::kTimeout, false, true).outcome, RecordOutcome::kUnknown);
}

TEST(RefusalAsRejection, OnlyWhatTheRecordItselfCausesIsNotRetryable) {
  for (const auto reason : {kafka::Reason::kTooLarge, kafka::Reason::kInvalid})
    EXPECT_FALSE(Because(reason, false).retryable());
  for (const auto reason :
       {kafka::Reason::kUnknownTopic, kafka::Reason::kUnauthorized, kafka::Reason::kTimeout,
        kafka::Reason::kBroker, kafka::Reason::kQueueFull})
    EXPECT_TRUE(Because(reason, false).retryable());
}

TEST(RefusalAsRejection, IsCountedByItsReason) {
  const auto counted = [](kafka::Reason reason) {
    return MetricReason(Because(reason, false).reason);
  };
  EXPECT_EQ(counted(kafka::Reason::kTooLarge), ProducerReason::kTooLarge);
  EXPECT_EQ(counted(kafka::Reason::kUnknownTopic), ProducerReason::kUnknownTopic);
  EXPECT_EQ(counted(kafka::Reason::kUnauthorized), ProducerReason::kUnauthorized);
  EXPECT_EQ(counted(kafka::Reason::kTimeout), ProducerReason::kTimeout);
  EXPECT_EQ(counted(kafka::Reason::kBroker), ProducerReason::kBroker);
  EXPECT_EQ(counted(kafka::Reason::kInvalid), ProducerReason::kInvalid);
  EXPECT_EQ(counted(kafka::Reason::kQueueFull), ProducerReason::kBroker);
}

}  // namespace
}  // namespace outrigger::publish
