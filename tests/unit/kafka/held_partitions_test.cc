#include "kafka/held_partitions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <unordered_set>

namespace outrigger::kafka {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;

const TopicPartition kFirst{"orders", 0};
const TopicPartition kSecond{"orders", 1};

TEST(HeldPartitions, APartitionThatComesAgainHasAnotherEpochAndNothingOfTheOldOne) {
  HeldPartitions held;
  HeldPartition& before = held.Add(kFirst, 7, {});
  const uint64_t epoch = before.epoch;
  before.paused = true;
  before.phase = HeldPartition::Phase::kRevoking;
  const HeldPartition& again = held.Add(kFirst, 9, {});
  EXPECT_NE(again.epoch, epoch);
  EXPECT_EQ(again.next, 9);
  EXPECT_FALSE(again.paused);
  EXPECT_FALSE(again.revoking());
  EXPECT_EQ(held.Find(kFirst, epoch), nullptr);
  EXPECT_EQ(held.Find(kFirst, again.epoch), &again);
}

TEST(HeldPartitions, EpochsAreNotUsedAgainAfterAllPartitionsWereLost) {
  HeldPartitions held;
  const uint64_t epoch = held.Add(kFirst, 0, {}).epoch;
  held.Clear();
  EXPECT_GT(held.Add(kFirst, 0, {}).epoch, epoch);
}

TEST(HeldPartitions, WhatIsBeingRevokedIsToldApart) {
  HeldPartitions held;
  held.Add(kFirst, 0, {}).phase = HeldPartition::Phase::kRevoking;
  held.Add(kSecond, 0, {}).phase = HeldPartition::Phase::kResetting;
  held.Add({"users", 0}, 0, {});
  EXPECT_THAT(held.revoking(), ElementsAre(kFirst));
  EXPECT_THAT(held.not_revoking(), UnorderedElementsAre(kSecond, TopicPartition{"users", 0}));
  EXPECT_THAT(held.NotRevoking({kFirst, kSecond, {"users", 7}}), ElementsAre(kSecond));
  EXPECT_THAT(held.topics(), ElementsAre("orders", "users"));
}

TEST(HeldPartitions, WhatIsErasedIsNotFound) {
  HeldPartitions held;
  held.Add(kFirst, 0, {});
  EXPECT_TRUE(held.Erase(kFirst));
  EXPECT_FALSE(held.Erase(kFirst));
  EXPECT_EQ(held.Find(kFirst), nullptr);
  EXPECT_TRUE(held.empty());
}

TEST(HeldPartitions, ALookupCostsTheSameHoweverManyThereAre) {
  std::unordered_set<TopicPartition, HashOf> partitions;
  for (int topic = 0; topic < 20; ++topic)
    for (int32_t partition = 0; partition < 1000; ++partition)
      partitions.insert({"topic-" + std::to_string(topic), partition});
  size_t most = 0;  // that a lookup compares with
  for (size_t bucket = 0; bucket < partitions.bucket_count(); ++bucket)
    most = std::max(most, partitions.bucket_size(bucket));
  EXPECT_LE(most, 12U);
}

TEST(HeldPartition, ItsEndIsWhatTheLastFetchSawUnlessMoreIsKnown) {
  HeldPartition at;
  at.OnRead(4);
  EXPECT_EQ(at.next, 5);
  EXPECT_EQ(at.EndOf(10), 10);
  at.OnEnd(8);  // 5 to 7 are markers of transactions
  EXPECT_EQ(at.next, 8);
  EXPECT_EQ(at.EndOf(5), 8);
}

TEST(HeldPartition, TheEndThatWasAskedForWhilePausedIsForgottenWithTheNextRecord) {
  HeldPartition at;
  at.OnRead(4);
  at.paused_end = 30;
  EXPECT_EQ(at.EndOf(10), 30);
  at.paused_end = 2;  // asked before the last record came
  EXPECT_EQ(at.EndOf(10), 5);
  at.OnRead(5);
  EXPECT_EQ(at.EndOf(10), 10);
}

}  // namespace
}  // namespace outrigger::kafka
