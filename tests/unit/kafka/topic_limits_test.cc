#include "kafka/topic_limits.h"

#include <gtest/gtest.h>

namespace outrigger::kafka {
namespace {

using std::chrono::milliseconds;

class TopicLimitsTest : public testing::Test {
 protected:
  static Entry Record(size_t bytes, bool key = true) {
    Entry entry;
    entry.record.topic = "orders";
    if (key) entry.record.key = "key";
    entry.record.value = std::string(bytes, 'x');
    entry.bytes = BatchBytes(entry.record);
    return entry;
  }
  std::optional<Refusal> Unfit(const Entry& entry, bool compressing = false) const {
    return limits_.Unfit(entry, "orders", compressing);
  }

  TopicLimits limits_;
  const base::TimePoint now_ = base::TimePoint() + std::chrono::hours(1);
};

TEST_F(TopicLimitsTest, ARecordIsRefusedUnaskedOnlyWhereTheBrokerToldTheLimit) {
  const Entry large = Record(2'000'000);
  EXPECT_FALSE(Unfit(large)) << "1 MiB is only assumed";
  limits_.OnConfig({.topic = "orders", .max_message_bytes = 1000});
  const auto refusal = Unfit(large);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->reason, Reason::kTooLarge);
  EXPECT_FALSE(Unfit(Record(500)));
}

TEST_F(TopicLimitsTest, CompressionCouldMakeARecordFit) {
  limits_.OnConfig({.topic = "orders", .max_message_bytes = 1000});
  EXPECT_FALSE(Unfit(Record(2000), true));
}

TEST_F(TopicLimitsTest, ACompactedTopicTakesNoRecordWithoutAKey) {
  EXPECT_FALSE(Unfit(Record(10, false)));
  limits_.OnConfig({.topic = "orders", .compacted = true});
  ASSERT_TRUE(Unfit(Record(10, false)));
  EXPECT_EQ(Unfit(Record(10, false))->reason, Reason::kInvalid);
  EXPECT_FALSE(Unfit(Record(10)));
}

TEST_F(TopicLimitsTest, ThatAKeyIsNeededIsLearnedUntilTheNextAnswer) {
  limits_.OnKeyMissing();
  EXPECT_TRUE(Unfit(Record(10, false)));
  limits_.OnConfig({.topic = "orders"});
  EXPECT_FALSE(Unfit(Record(10, false)));
}

TEST_F(TopicLimitsTest, RecordsGoOneByOneUntilTheConfigIsAnsweredOrASecondIsOver) {
  limits_.OnAsked(now_);
  EXPECT_EQ(limits_.ForBatch(now_ + milliseconds(999)).records, 1u);
  EXPECT_GT(limits_.ForBatch(now_ + milliseconds(1000)).records, 1u);
  limits_.OnNoConfig();
  EXPECT_GT(limits_.ForBatch(now_).records, 1u);
}

TEST_F(TopicLimitsTest, ABatchIsKeptBelowTheTopicsLimit) {
  EXPECT_EQ(limits_.ForBatch(now_).bytes, BatchLimits().bytes);
  limits_.OnConfig({.topic = "orders", .max_message_bytes = 5000});
  EXPECT_EQ(limits_.ForBatch(now_).bytes, 5000u);
}

TEST_F(TopicLimitsTest, ARefusedBatchHalvesTheLimitAndARefusedRecordIsOne) {
  limits_.OnTooLarge(80'000, 10);
  EXPECT_EQ(limits_.ForBatch(now_).bytes, 40'000u);
  limits_.OnTooLarge(30'000, 1);
  EXPECT_EQ(limits_.ForBatch(now_).bytes, 30'000u);
  limits_.OnTooLarge(100'000, 2);
  EXPECT_EQ(limits_.ForBatch(now_).bytes, 30'000u) << "it only falls";
  limits_.OnTooLarge(10, 1);
  EXPECT_EQ(limits_.ForBatch(now_).bytes, 1024u);
}

TEST_F(TopicLimitsTest, WhatTheBrokerDoesNotTellLeavesWhatWasLearned) {
  limits_.OnTooLarge(80'000, 10);
  limits_.OnConfig({.topic = "orders"});
  EXPECT_EQ(limits_.ForBatch(now_).bytes, 40'000u);
}

}  // namespace
}  // namespace outrigger::kafka
