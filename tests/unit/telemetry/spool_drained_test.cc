#include "telemetry/spool_drained.h"

#include <gtest/gtest.h>

namespace outrigger::telemetry {
namespace {

SpoolState Holding(uint64_t records) {
  return {.folder = "/spool",
          .records = records,
          .bytes = records * 100,
          .oldest = base::WallTime(std::chrono::hours(1)),
          .store_error = {},
          .kafka_error = {}};
}

TEST(SpoolDrained, IsTrueWhenNothingWaitsWhateverKafkaSays) {
  SpoolState state = {.folder = "/spool", .oldest = {}, .store_error = {}, .kafka_error = "away"};
  const Condition condition = SpoolDrained(state);
  EXPECT_EQ(condition.type, "SpoolDrained");
  EXPECT_EQ(condition.status, Status::kTrue);
  EXPECT_EQ(condition.reason, "Empty");
  EXPECT_EQ(condition.message, "no record waits in /spool");
}

TEST(SpoolDrained, SaysHowMuchWaitsAndSinceWhen) {
  const Condition condition = SpoolDrained(Holding(3));
  EXPECT_EQ(condition.status, Status::kFalse);
  EXPECT_EQ(condition.reason, "Draining");
  EXPECT_EQ(condition.message,
            "3 records (300 bytes) in /spool, the oldest of 1970-01-01T01:00:00.000Z, on their way "
            "to Kafka");
}

TEST(SpoolDrained, SaysWhyKafkaTakesNoRecords) {
  SpoolState state = Holding(1);
  state.kafka_error = "orders/3: too few replicas";
  const Condition condition = SpoolDrained(state);
  EXPECT_EQ(condition.reason, "WaitingForKafka");
  EXPECT_EQ(condition.message,
            "1 record (100 bytes) in /spool, the oldest of 1970-01-01T01:00:00.000Z: orders/3: too "
            "few replicas");
}

TEST(SpoolDrained, WhatRefusesEventsIsTheReasonAndWhatWaitsIsToldWithIt) {
  SpoolState state = Holding(1);
  state.full = true;
  Condition condition = SpoolDrained(state);
  EXPECT_EQ(condition.reason, "Full");
  EXPECT_NE(condition.message.find("; Draining: 1 record"), std::string::npos);
  state.store_error = "no space left on device";
  condition = SpoolDrained(state);
  EXPECT_EQ(condition.reason, "StoreFailed");
  EXPECT_TRUE(condition.message.starts_with("StoreFailed: /spool: no space left on device; Full: "))
      << condition.message;
}

TEST(SpoolDrained, IsFalseWhileRecordsAreInTheQuarantine) {
  SpoolState state = Holding(0);
  state.quarantined = 2;
  const Condition condition = SpoolDrained(state);
  EXPECT_EQ(condition.status, Status::kFalse);
  EXPECT_EQ(condition.reason, "Quarantined");
  EXPECT_EQ(condition.message, "2 records that Kafka rejected for good, to be requeued or dropped");
}

}  // namespace
}  // namespace outrigger::telemetry
