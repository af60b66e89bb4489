#include "kafka/offset_resets.h"

#include <gtest/gtest.h>

namespace outrigger::kafka {
namespace {

const TopicPartition kAt{"orders", 0};
const TopicIdentity kOld{"old", "cluster"};
const TopicIdentity kNew{"new", "cluster"};

HeldPartition HeldAt(int64_t next) {
  HeldPartition held;
  held.next = next;
  held.identity = kOld;
  held.sure_end = 50;
  return held;
}

TEST(JudgeReset, WhatIsBelowTheOldestRecordWasDeleted) {
  const Reset reset = JudgeReset(kAt, HeldAt(10), 10, {40, 100, kOld});
  EXPECT_EQ(reset.reason, ResetReason::kDeleted);
  EXPECT_EQ(reset.from, 10);
  EXPECT_EQ(reset.to, 40);
  EXPECT_EQ(reset.lost, 30);
}

TEST(JudgeReset, ALogThatEndsBelowWasTruncatedAndIsReadFromItsOldestRecord) {
  const Reset reset = JudgeReset(kAt, HeldAt(45), 45, {5, 20, kOld});
  EXPECT_EQ(reset.reason, ResetReason::kTruncated);
  EXPECT_EQ(reset.to, 5);
  EXPECT_EQ(reset.lost, 5);  // up to 50 it is known to have reached
}

TEST(JudgeReset, AnotherTopicOfTheNameIsToldWhereverItsOffsetsAre) {
  for (const int64_t low : {int64_t{0}, int64_t{40}}) {
    const Reset reset = JudgeReset(kAt, HeldAt(10), 10, {low, 100, kNew});
    EXPECT_EQ(reset.reason, ResetReason::kRecreated);
    EXPECT_EQ(reset.to, low);
    EXPECT_EQ(reset.lost, 40);
  }
}

TEST(JudgeReset, WhatHasComeInTheMeantimeIsNotLost) {
  const Reset reset = JudgeReset(kAt, HeldAt(30), 10, {40, 100, kOld});
  EXPECT_EQ(reset.from, 30);
  EXPECT_EQ(reset.lost, 10);
}

TEST(JudgeReset, OfAPartitionThatWasReadFromNowhereNothingIsKnownToBeLost) {
  const Reset reset = JudgeReset(kAt, HeldAt(-1), -1, {40, 100, kOld});
  EXPECT_EQ(reset.reason, ResetReason::kDeleted);
  EXPECT_EQ(reset.lost, 0);
}

}  // namespace
}  // namespace outrigger::kafka
