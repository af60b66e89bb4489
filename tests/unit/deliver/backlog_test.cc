#include "deliver/backlog.h"

#include <gtest/gtest.h>

#include <deque>

namespace outrigger::deliver {
namespace {

using std::chrono::milliseconds;

constexpr size_t kMost = 1 << 20;

class BacklogTest : public testing::Test {
 protected:
  Delivery& Add(std::shared_ptr<Fetched> fetched) {
    Delivery& delivery = deliveries_.emplace_back();
    delivery.fetched = std::move(fetched);
    backlog_.Add(delivery);
    backlog_.Update();
    return delivery;
  }
  Delivery& Add(size_t bytes) { return Add(Record(bytes)); }
  void Remove(Delivery& delivery) {
    backlog_.Remove(delivery);
    backlog_.Update();
  }
  std::shared_ptr<Fetched> Record(size_t bytes) {
    kafka::Consumed record;
    record.value = std::string(bytes, 'x');
    return std::make_shared<Fetched>(std::move(record), loop_.Now());
  }

  base::ManualClock clock_;
  base::Loop loop_{clock_.clock()};
  int over_ = 0;
  Backlog backlog_{loop_, kMost, [this] { ++over_; }};
  std::deque<Delivery> deliveries_;
};

TEST_F(BacklogTest, AtItsBoundNothingIsPolledUntilThereIsRoomAgain) {
  std::vector<Delivery*> waiting;
  while (backlog_.polls()) waiting.push_back(&Add(10'000));
  EXPECT_GE(backlog_.bytes(), kMost);
  EXPECT_LT(backlog_.bytes(), kMost + 20'000);
  while (!backlog_.polls()) {
    ASSERT_FALSE(waiting.empty());
    Remove(*waiting.back());
    waiting.pop_back();
  }
  EXPECT_LT(backlog_.bytes(), kMost / 10 * 9);
  loop_.Advance(clock_, std::chrono::seconds(1));
  EXPECT_EQ(over_, 0) << "that was in time";
  for (Delivery* delivery : waiting) Remove(*delivery);
  EXPECT_EQ(backlog_.bytes(), 0U);
  EXPECT_EQ(backlog_.deliveries(), 0U);
}

TEST_F(BacklogTest, OfASlowAppThePartitionsPauseAndPollingGoesOnForTheGroupsOwnEvents) {
  std::vector<Delivery*> waiting;
  while (backlog_.polls()) waiting.push_back(&Add(10'000));
  loop_.Advance(clock_, milliseconds(249));
  EXPECT_FALSE(backlog_.over());
  loop_.Advance(clock_, milliseconds(1));
  EXPECT_EQ(over_, 1);
  EXPECT_TRUE(backlog_.over());
  EXPECT_TRUE(backlog_.polls());
  while (backlog_.bytes() >= kMost / 2) {
    EXPECT_TRUE(backlog_.over());
    Remove(*waiting.back());
    waiting.pop_back();
  }
  EXPECT_FALSE(backlog_.over());
}

TEST_F(BacklogTest, WithHeavyRecordsThereIsNoTimeForPatience) {
  while (backlog_.polls()) Add(100'000);
  loop_.Advance(clock_, milliseconds(0));
  EXPECT_TRUE(backlog_.over());
}

TEST_F(BacklogTest, ARecordCountsOnceForAllThatHaveIt) {
  const auto record = Record(100'000);
  Delivery& first = Add(record);
  Delivery& second = Add(record);
  EXPECT_LT(backlog_.bytes(), 110'000U);
  Remove(first);
  EXPECT_GT(backlog_.bytes(), 100'000U);
  Remove(first);
  EXPECT_GT(backlog_.bytes(), 100'000U) << "it was removed already";
  Remove(second);
  EXPECT_EQ(backlog_.bytes(), 0U);
}

TEST_F(BacklogTest, SmallEventsCountWithWhatTheirBookkeepingTakes) {
  int count = 0;
  while (backlog_.polls()) Add(10), ++count;
  EXPECT_LT(count, 600);
}

TEST_F(BacklogTest, WhatIsStuckTakesHalfOfTheRoomAtMost) {
  SubscribedPartition one, other;
  backlog_.SetStuck(one, kMost / 2);
  EXPECT_FALSE(backlog_.too_much_stuck());
  backlog_.SetStuck(other, kMost);
  EXPECT_TRUE(backlog_.too_much_stuck());
  while (backlog_.polls()) Add(10'000);
  EXPECT_GE(backlog_.bytes(), kMost / 2);
  EXPECT_LT(backlog_.bytes(), kMost / 2 + 20'000);
  backlog_.SetStuck(other, 1);
  backlog_.SetStuck(one, 0);
  EXPECT_FALSE(backlog_.too_much_stuck());
  EXPECT_EQ(other.stuck_bytes, 1U);
  backlog_.Update();
  EXPECT_TRUE(backlog_.polls());
}

}  // namespace
}  // namespace outrigger::deliver
