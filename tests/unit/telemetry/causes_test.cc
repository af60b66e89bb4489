#include "telemetry/causes.h"

#include <gtest/gtest.h>

namespace outrigger::telemetry {
namespace {

TEST(Causes, ASingleCauseIsShownUnchanged) {
  Causes causes;
  causes.Add(Status::kTrue, "Delivering", "4 partitions");
  const Condition shown = causes.Together();
  EXPECT_EQ(shown.status, Status::kTrue);
  EXPECT_EQ(shown.reason, "Delivering");
  EXPECT_EQ(shown.message, "4 partitions");
}

TEST(Causes, OneNeverHidesAnother) {
  Causes causes;
  causes.Add(Status::kFalse, "Stuck", "event a");
  causes.Add(Status::kFalse, "KafkaRefuses", "no READ");
  const Condition shown = causes.Together();
  EXPECT_EQ(shown.status, Status::kFalse);
  EXPECT_EQ(shown.reason, "Stuck");
  EXPECT_EQ(shown.message, "Stuck: event a; KafkaRefuses: no READ");
}

TEST(Causes, TheMostSeriousGivesStatusAndReasonInAnyPosition) {
  Causes causes;
  causes.Add(Status::kUnknown, "Connecting", "looking");
  causes.Add(Status::kTrue, "Delivering", "4 partitions");
  causes.Add(Status::kFalse, "CommitsRefused", "no READ");
  const Condition shown = causes.Together();
  EXPECT_EQ(shown.status, Status::kFalse);
  EXPECT_EQ(shown.reason, "CommitsRefused");
  EXPECT_EQ(shown.message, "Connecting: looking; CommitsRefused: no READ");
}

TEST(Causes, TrueCausesAreListedWithoutReasons) {
  Causes causes;
  causes.Add(Status::kTrue, "Delivering", "4 partitions");
  causes.Add(Status::kTrue, "Delivering", "less metadata");
  EXPECT_EQ(causes.Together().message, "4 partitions; less metadata");
}

TEST(Causes, NoneIsUnknown) { EXPECT_EQ(Causes().Together().status, Status::kUnknown); }

}  // namespace
}  // namespace outrigger::telemetry
