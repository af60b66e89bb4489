#include "kafka/partition_queue.h"

#include <gtest/gtest.h>

#include <memory>

namespace outrigger::kafka {
namespace {

class PartitionQueueTest : public testing::Test {
 protected:
  PartitionQueueTest() { queue_.known = true; }

  void Wait(int count, size_t bytes = 10) {
    for (int i = 0; i < count; ++i) {
      auto& entry = entries_.emplace_back(std::make_unique<Entry>());
      entry->bytes = bytes;
      entry->record.value = std::to_string(entries_.size() - 1);
      queue_.waiting.push_back(entry.get());
    }
  }
  static std::vector<std::string> Values(const auto& entries) {
    std::vector<std::string> values;
    for (const Entry* entry : entries)
      if (entry) values.push_back(*entry->record.value);
    return values;
  }

  PartitionQueue queue_;
  std::vector<std::unique_ptr<Entry>> entries_;
};

TEST_F(PartitionQueueTest, ABatchIsWhatWaitsInOrderWithinTheLimits) {
  Wait(10);
  queue_.FormBatch({.records = 4, .bytes = 1000});
  EXPECT_EQ(Values(queue_.batch), (std::vector<std::string>{"0", "1", "2", "3"}));
  EXPECT_EQ(queue_.undecided, 4u);
  EXPECT_FALSE(queue_.idle());
}

TEST_F(PartitionQueueTest, OneRecordGoesAloneUntilTheBrokerKnowsTheClient) {
  Wait(3);
  queue_.known = false;
  for (int again = 0; again < 2; ++again) {
    queue_.FormBatch({});
    EXPECT_EQ(Values(queue_.batch), (std::vector<std::string>{"0"}));
    queue_.TakeBack();
  }
  queue_.known = true;
  queue_.FormBatch({});
  EXPECT_EQ(queue_.batch.size(), 3u);
}

TEST_F(PartitionQueueTest, ARecordOverTheBytesGoesAlone) {
  Wait(2, 10);
  Wait(1, 5000);
  Wait(1, 10);
  queue_.FormBatch({.records = 10, .bytes = 100});
  EXPECT_EQ(queue_.batch.size(), 2u);
  queue_.batch.clear();
  queue_.FormBatch({.records = 10, .bytes = 100});
  EXPECT_EQ(Values(queue_.batch), (std::vector<std::string>{"2"}));
}

TEST_F(PartitionQueueTest, WhatIsTakenBackIsInFrontInItsOldOrder) {
  Wait(6);
  queue_.FormBatch({.records = 4, .bytes = 1000});
  queue_.batch[1] = nullptr;  // reported meanwhile
  EXPECT_EQ(queue_.TakeBack(), 3u);
  EXPECT_EQ(Values(queue_.waiting), (std::vector<std::string>{"0", "2", "3", "4", "5"}));
  EXPECT_TRUE(queue_.idle());
}

TEST_F(PartitionQueueTest, AfterARefusalTheBatchsRecordsGoOneByOneAndThenTogetherAgain) {
  Wait(5);
  queue_.FormBatch({.records = 2, .bytes = 1000});
  queue_.alone += queue_.TakeBack();
  for (const char* value : {"0", "1"}) {
    queue_.FormBatch({});
    EXPECT_EQ(Values(queue_.batch), (std::vector<std::string>{value}));
    queue_.batch.clear();
  }
  queue_.FormBatch({});
  EXPECT_EQ(Values(queue_.batch), (std::vector<std::string>{"2", "3", "4"}));
}

TEST_F(PartitionQueueTest, WhatTheClientDidNotTakeGoesBackInOrder) {
  Wait(5);
  queue_.FormBatch({.records = 4});
  queue_.TakeBackFrom(1);
  EXPECT_EQ(Values(queue_.batch), (std::vector<std::string>{"0"}));
  EXPECT_EQ(queue_.undecided, 1u);
  EXPECT_EQ(Values(queue_.waiting), (std::vector<std::string>{"1", "2", "3", "4"}));
}

TEST_F(PartitionQueueTest, WhatAReplacedClientHadMayBeStoredAndTheNextIsUnknown) {
  Wait(3);
  queue_.FormBatch({.records = 2});
  queue_.batch[0] = nullptr;  // acknowledged
  EXPECT_EQ(queue_.TakeBackUnanswered(), 1u);
  EXPECT_EQ(Values(queue_.waiting), (std::vector<std::string>{"1", "2"}));
  EXPECT_TRUE(queue_.waiting[0]->maybe_stored);
  EXPECT_FALSE(queue_.waiting[1]->maybe_stored);
  EXPECT_FALSE(queue_.known);
}

TEST_F(PartitionQueueTest, TheFirstOfThoseThatWaitAreTaken) {
  Wait(3);
  EXPECT_EQ(Values(queue_.TakeFirst(2)), (std::vector<std::string>{"0", "1"}));
  EXPECT_EQ(Values(queue_.waiting), (std::vector<std::string>{"2"}));
}

}  // namespace
}  // namespace outrigger::kafka
