#include "kafka/topic_table.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "kafka/stall_watch.h"

namespace outrigger::kafka {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using Phase = Topic::Phase;

constexpr size_t kMostRecords = 8;
constexpr size_t kMostBytes = 100'000;

class TopicTableTest : public testing::Test {
 protected:
  static event::Record Record(const std::string& topic, size_t bytes = 1) {
    event::Record record;
    record.topic = topic;
    record.value = std::string(bytes, 'x');
    return record;
  }
  // A record that waits for its topic.
  Entry* Wait(const std::string& topic, const std::string& key = "") {
    auto* entry = new Entry;
    entry->record = Record(topic);
    if (!key.empty()) entry->record.key = key;
    entry->memory = MemoryOf(entry->record);
    table_.Hold(*entry);
    table_.Accept(*entry).Wait(entry);
    return entry;
  }
  void Report(Entry* entry) {
    table_.Release(*entry);
    delete entry;
  }
  // A placed topic of one partition with a batch of one record, which is undecided.
  PartitionQueue& Undecided(const std::string& name) {
    Topic& topic = Placed(name, 1);
    PartitionQueue& queue = *topic.queues()[0];
    Wait(name);
    for (Entry* entry : topic.TakeWaiting()) queue.waiting.push_back(entry);
    queue.handed_at = clock_.clock().now();
    queue.FormBatch({});
    return queue;
  }
  Topic& Placed(const std::string& name, size_t partitions) {
    Entry* entry = Wait(name);
    Topic& topic = *table_.Find(name);
    table_.Place(topic, partitions);
    topic.TakeWaiting();
    Report(entry);
    topic.StartLookup();
    topic.OnLookedUp(clock_.clock().now());
    return topic;
  }
  static std::vector<uint64_t> Orders(const auto& entries) {
    std::vector<uint64_t> orders;
    for (const Entry* entry : entries) orders.push_back(entry->order);
    return orders;
  }
  size_t Forget() {
    size_t forgotten = 0;
    table_.ForgetIdle([&forgotten](const Topic&) { ++forgotten; });
    return forgotten;
  }

  base::ManualClock clock_;
  TopicTable table_{clock_.clock(), kMostRecords, kMostBytes};
};

TEST_F(TopicTableTest, AllTogetherHoldNoMoreThanTheBound) {
  for (size_t i = 0; i < kMostRecords; ++i) {
    EXPECT_FALSE(table_.Admit(Record("next")));
    Wait("topic" + std::to_string(i % 3));
  }
  const auto refusal = table_.Admit(Record("next"));
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->reason, Reason::kQueueFull);
  EXPECT_TRUE(refusal->memory);
}

TEST_F(TopicTableTest, OneTopicHoldsNoMoreThanHalf) {
  for (size_t i = 0; i < kMostRecords / 2; ++i) Wait("orders");
  ASSERT_TRUE(table_.Admit(Record("orders")));
  EXPECT_EQ(table_.Admit(Record("orders"))->reason, Reason::kQueueFull);
  EXPECT_FALSE(table_.Admit(Record("payments")));
}

TEST_F(TopicTableTest, WhatIsReportedMakesRoom) {
  Topic& topic = Placed("orders", 1);
  std::vector<Entry*> entries;
  for (size_t i = 0; i < kMostRecords / 2; ++i) entries.push_back(Wait("orders"));
  ASSERT_TRUE(table_.Admit(Record("orders")));
  topic.TakeWaiting();
  for (Entry* entry : entries) Report(entry);
  EXPECT_FALSE(table_.Admit(Record("orders")));
  EXPECT_EQ(table_.held().records, 0u);
  EXPECT_EQ(table_.held().memory, 0u);
}

TEST_F(TopicTableTest, WhatCouldNeverHaveRoomIsTooLarge) {
  EXPECT_EQ(table_.Admit(Record("orders", kMostBytes / 2))->reason, Reason::kTooLarge);
}

TEST_F(TopicTableTest, TopicsThatKafkaDoesNotHaveMayBeAFewOnly) {
  for (int i = 0; i < 6; ++i) {
    ASSERT_FALSE(table_.Admit(Record("next"))) << i;
    Wait("topic" + std::to_string(i));
  }
  ASSERT_TRUE(table_.Admit(Record("next")));
  EXPECT_FALSE(table_.Admit(Record("next"))->memory);
  EXPECT_FALSE(table_.Admit(Record("topic0"))) << "one that is known already";
  table_.Place(*table_.Find("topic0"), 1);
  EXPECT_FALSE(table_.Admit(Record("next")));
}

TEST_F(TopicTableTest, AKeyHasOnePartitionAndWithoutAKeyABatchHas) {
  Topic& topic = Placed("orders", 8);
  event::Record keyed = Record("orders");
  keyed.key = "21";
  // As org.apache.kafka.common.utils.UtilsTest has it for murmur2("21").
  EXPECT_EQ(topic.QueueFor(keyed)->partition, (-973932308 & 0x7fffffff) % 8);
  PartitionQueue* first = topic.QueueFor(Record("orders"));
  EXPECT_EQ(topic.QueueFor(Record("orders")), first);
  topic.OnBatch(*first);
  EXPECT_EQ(topic.QueueFor(Record("orders"))->partition, (first->partition + 1) % 8);
}

TEST_F(TopicTableTest, APartitionThatIsNotThereHasNoQueueUntilTheTopicGrows) {
  Topic& topic = Placed("orders", 2);
  event::Record record = Record("orders");
  record.partition = 2;
  EXPECT_EQ(topic.QueueFor(record), nullptr);
  table_.Place(topic, 3);
  ASSERT_NE(topic.QueueFor(record), nullptr);
  EXPECT_EQ(topic.QueueFor(record)->partition, 2);
}

TEST_F(TopicTableTest, ATopicIsLookedForPlacedDrainedAndLookedForAgain) {
  Wait("orders");
  Topic& topic = *table_.Find("orders");
  EXPECT_EQ(topic.phase(), Phase::kLooking);
  EXPECT_FALSE(topic.drained()) << "there is nothing to drain";
  table_.Place(topic, 1);
  EXPECT_EQ(topic.phase(), Phase::kPlaced);
  table_.Unplace(topic);
  EXPECT_EQ(topic.phase(), Phase::kDraining);
  ASSERT_TRUE(topic.drained());
  topic.Gather();
  EXPECT_EQ(topic.phase(), Phase::kLooking);
}

TEST_F(TopicTableTest, WhatIsGatheredIsInOrderOfProduce) {
  Topic& topic = Placed("orders", 2);
  for (int i = 0; i < 4; ++i) Wait("orders");
  size_t next = 0;
  for (Entry* entry : topic.TakeWaiting()) topic.queues()[next++ % 2]->waiting.push_back(entry);
  topic.queues()[0]->FormBatch({});
  table_.Unplace(topic);
  Wait("orders");
  EXPECT_FALSE(topic.drained()) << "a batch is undecided";
  topic.queues()[0]->TakeBack();
  ASSERT_TRUE(topic.drained());
  topic.Gather();
  EXPECT_TRUE(topic.queues().empty());
  const auto waiting = topic.TakeWaiting();
  const std::vector<uint64_t> orders = Orders(waiting);
  EXPECT_EQ(orders.size(), 5u);
  EXPECT_TRUE(std::is_sorted(orders.begin(), orders.end()));
  for (uint64_t i = 0; i < orders.size(); ++i) EXPECT_EQ(orders[i], orders[0] + i);
  for (Entry* entry : waiting) Report(entry);
}

TEST_F(TopicTableTest, WhatWaitsIsTakenWithoutTheBatchAndAllWithIt) {
  PartitionQueue& queue = Undecided("orders");
  Entry* undecided = queue.batch[0];
  Entry* waiting = Wait("payments");
  EXPECT_FALSE(table_.idle());
  EXPECT_EQ(table_.TakeWaiting(), std::vector<Entry*>{waiting});
  EXPECT_FALSE(table_.idle());
  EXPECT_EQ(table_.TakeAll(), std::vector<Entry*>{undecided});
  EXPECT_TRUE(table_.idle());
  Report(waiting);
  Report(undecided);
}

TEST_F(TopicTableTest, OneLookupOfATopicIsUnderWay) {
  Wait("orders");
  Topic& topic = *table_.Find("orders");
  EXPECT_TRUE(topic.StartLookup());
  EXPECT_FALSE(topic.StartLookup());
  topic.OnLookedUp(clock_.clock().now());
  EXPECT_TRUE(topic.StartLookup());
}

TEST_F(TopicTableTest, ATopicIsLookedUpAgainWhileItIsPublishedTo) {
  Topic& topic = Placed("orders", 1);
  clock_.Advance(minutes(1));
  EXPECT_FALSE(topic.RefreshDue(clock_.clock().now()));
  Wait("orders");
  EXPECT_TRUE(topic.RefreshDue(clock_.clock().now()));
}

TEST_F(TopicTableTest, ATopicIsMissingSinceTheFirstLookupThatDidNotFindIt) {
  Wait("orders");
  Topic& topic = *table_.Find("orders");
  const base::TimePoint now = clock_.clock().now();
  EXPECT_EQ(topic.OnMissing(now), seconds(0));
  EXPECT_EQ(topic.OnMissing(now + seconds(3)), seconds(3));
  topic.OnFound({true});
  EXPECT_EQ(topic.OnMissing(now + seconds(9)), seconds(0));
}

TEST_F(TopicTableTest, AnIdleTopicIsForgottenAfterTenMinutes) {
  Placed("orders", 1);
  EXPECT_EQ(Forget(), 0u);
  clock_.Advance(minutes(10));
  EXPECT_EQ(Forget(), 0u);
  clock_.Advance(seconds(1));
  EXPECT_EQ(Forget(), 1u);
  EXPECT_EQ(table_.Find("orders"), nullptr);
}

TEST_F(TopicTableTest, ATopicThatRecordsWaitForIsNotForgotten) {
  Wait("orders");
  clock_.Advance(minutes(60));
  EXPECT_EQ(Forget(), 0u);
}

TEST_F(TopicTableTest, OneThatKafkaDoesNotHaveIsForgottenAfterAMinuteAndMakesRoom) {
  for (int i = 0; i < 6; ++i) {
    Entry* entry = Wait("topic" + std::to_string(i));
    Topic& topic = *table_.Find(entry->record.topic);
    topic.TakeWaiting();
    topic.StartLookup();
    topic.OnLookedUp(clock_.clock().now());
    Report(entry);
  }
  ASSERT_TRUE(table_.Admit(Record("next")));
  clock_.Advance(minutes(1) + seconds(1));
  EXPECT_EQ(Forget(), 6u);
  EXPECT_FALSE(table_.Admit(Record("next")));
}

TEST_F(TopicTableTest, ARefusalIsShownUntilItIsClearedOrTheTopicIsIdle) {
  Topic& topic = Placed("orders", 1);
  Refusal refusal;
  refusal.error.message = "not authorized";
  refusal.error.hint = "add an ACL";
  topic.ShowRefusal(refusal);
  EXPECT_EQ(table_.refusal(), "not authorized; add an ACL");
  EXPECT_TRUE(topic.ClearRefusal());
  EXPECT_FALSE(topic.ClearRefusal());
  topic.ShowRefusal(refusal);
  clock_.Advance(minutes(1) + seconds(1));
  Forget();
  EXPECT_EQ(table_.refusal(), "");
}

class StallWatchTest : public TopicTableTest {
 protected:
  StallWatch::Stall Find() {
    looked_up_.clear();
    return watch_.Find(table_, clock_.clock().now(),
                       [this](Topic& topic) { looked_up_.push_back(topic.name()); });
  }
  void LookUp(const std::string& topic, bool led) {
    table_.Find(topic)->OnFound({led});
    table_.Find(topic)->OnLookedUp(clock_.clock().now());
  }

  StallWatch watch_{seconds(20), 0};
  std::vector<std::string> looked_up_;
};

TEST_F(StallWatchTest, ABatchIsStalledWhenItsLeaderDoesNotAnswerForLong) {
  PartitionQueue& queue = Undecided("orders");
  clock_.Advance(seconds(19));
  LookUp("orders", true);
  EXPECT_EQ(Find().queue, nullptr);
  clock_.Advance(seconds(1));
  EXPECT_EQ(Find().queue, &queue);
  EXPECT_EQ(Find().topic->name(), "orders");
}

TEST_F(StallWatchTest, ThereMustBeALeaderByARecentLookup) {
  PartitionQueue& queue = Undecided("orders");
  clock_.Advance(seconds(20));
  EXPECT_EQ(Find().queue, nullptr);
  EXPECT_EQ(looked_up_, std::vector<std::string>{"orders"});
  LookUp("orders", false);
  EXPECT_EQ(Find().queue, nullptr);
  EXPECT_TRUE(looked_up_.empty());
  LookUp("orders", true);
  EXPECT_EQ(Find().queue, &queue);
}

TEST_F(StallWatchTest, WithEachStallInARowTheNextTakesTwiceAsLongUpToTenMinutes) {
  PartitionQueue& queue = Undecided("orders");
  queue.stalls = 1;
  clock_.Advance(seconds(39));
  LookUp("orders", true);
  EXPECT_EQ(Find().queue, nullptr);
  clock_.Advance(seconds(1));
  EXPECT_EQ(Find().queue, &queue);
  queue.stalls = 100;
  clock_.Advance(minutes(10) - seconds(41));
  LookUp("orders", true);
  EXPECT_EQ(Find().queue, nullptr);
  clock_.Advance(seconds(1));
  EXPECT_EQ(Find().queue, &queue);
}

TEST_F(StallWatchTest, ClientsActAtDifferentTimes) {
  const StallWatch later(seconds(20), 64);
  PartitionQueue& queue = Undecided("orders");
  clock_.Advance(seconds(24));
  LookUp("orders", true);
  const auto look_up = [](Topic&) {};
  EXPECT_EQ(later.Find(table_, clock_.clock().now(), look_up).queue, nullptr);
  clock_.Advance(seconds(1));
  EXPECT_EQ(later.Find(table_, clock_.clock().now(), look_up).queue, &queue);
}

}  // namespace
}  // namespace outrigger::kafka
