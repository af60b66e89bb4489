#include "telemetry/conditions.h"

#include <gtest/gtest.h>

namespace outrigger::telemetry {
namespace {

TEST(Conditions, TheTransitionTimeMovesOnlyWithTheStatus) {
  base::ManualClock clock;
  Conditions conditions(clock.clock());
  EXPECT_TRUE(conditions.Set("KafkaConnected", Status::kFalse, "BrokersUnreachable", "a"));
  const auto first = conditions.Get("KafkaConnected").last_transition;
  clock.Advance(std::chrono::seconds(5));
  EXPECT_FALSE(conditions.Set("KafkaConnected", Status::kFalse, "AuthenticationFailed", "b"));
  EXPECT_EQ(conditions.Get("KafkaConnected").last_transition, first);
  EXPECT_EQ(conditions.Get("KafkaConnected").message, "b");
  EXPECT_TRUE(conditions.Set("KafkaConnected", Status::kTrue, "Connected", ""));
  EXPECT_GT(conditions.Get("KafkaConnected").last_transition, first);
}

TEST(Conditions, TheJsonIsAsKubernetesHasIt) {
  base::ManualClock clock;
  Conditions conditions(clock.clock());
  conditions.SetGeneration("abc");
  conditions.Set("Ready", Status::kUnknown, "Starting", "say \"hi\"");
  EXPECT_EQ(conditions.Json(),
            R"({"observedGeneration":"abc","conditions":[{"type":"Ready","status":"Unknown",)"
            R"("reason":"Starting","message":"say \"hi\"","lastTransitionTime":")" +
                base::Rfc3339(clock.clock().wall()) + R"("}]})");
}

}  // namespace
}  // namespace outrigger::telemetry
