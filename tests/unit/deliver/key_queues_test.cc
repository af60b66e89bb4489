#include "deliver/key_queues.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <set>

namespace outrigger::deliver {
namespace {

using Item = KeyQueues::Item;
using std::chrono::seconds;

const base::TimePoint kStart{};

// Owns the items that tests push.
class Events {
 public:
  Item* Push(KeyQueues& queues, uint64_t partition, std::optional<std::string> key) {
    auto item = std::make_unique<Item>();
    item->partition = partition;
    item->offset = static_cast<int64_t>(items_.size());
    item->key = std::move(key);
    queues.Push(item.get());
    return items_.emplace_back(std::move(item)).get();
  }

 private:
  std::vector<std::unique_ptr<Item>> items_;
};

TEST(KeyQueues, OnlyTheHeadOfAKeyIsInFlight) {
  KeyQueues queues(Ordering::kKey, 64);
  Events events;
  Item* first = events.Push(queues, 0, "a");
  Item* second = events.Push(queues, 0, "a");
  EXPECT_EQ(queues.Next(kStart), first);
  EXPECT_EQ(queues.Next(kStart), nullptr);
  queues.Done(first);
  EXPECT_EQ(queues.Next(kStart), second);
  queues.Done(second);
  EXPECT_EQ(queues.queues(), 0U);
}

TEST(KeyQueues, AHotKeyDoesNotDelayOthers) {
  KeyQueues queues(Ordering::kKey, 2);
  Events events;
  for (int i = 0; i < 1000; ++i) events.Push(queues, 0, "hot");
  Item* cold = events.Push(queues, 0, "cold");
  EXPECT_EQ(queues.Next(kStart)->key, "hot");
  EXPECT_EQ(queues.Next(kStart), cold);
}

TEST(KeyQueues, ReadyKeysTakeTurns) {
  KeyQueues queues(Ordering::kKey, 1);
  Events events;
  for (int i = 0; i < 3; ++i)
    for (const char* key : {"a", "b", "c"}) events.Push(queues, 0, key);
  std::string order;
  while (Item* item = queues.Next(kStart)) {
    order += *item->key;
    queues.Done(item);
  }
  EXPECT_EQ(order, "abcabcabc");
}

TEST(KeyQueues, NoMoreThanConcurrencyAreInFlight) {
  KeyQueues queues(Ordering::kKey, 3);
  Events events;
  for (int i = 0; i < 10; ++i) events.Push(queues, 0, std::to_string(i));
  std::vector<Item*> flying;
  while (Item* item = queues.Next(kStart)) flying.push_back(item);
  EXPECT_EQ(flying.size(), 3U);
  EXPECT_EQ(queues.in_flight(), 3U);
  EXPECT_EQ(queues.waiting(), 7U);
  queues.set_concurrency(1);
  queues.Done(flying[0]);
  EXPECT_EQ(queues.Next(kStart), nullptr);
  queues.set_concurrency(3);
  EXPECT_NE(queues.Next(kStart), nullptr);
}

TEST(KeyQueues, AKeyThatWaitsForItsRetryHoldsOnlyItself) {
  KeyQueues queues(Ordering::kKey, 1);
  Events events;
  Item* failed = events.Push(queues, 0, "a");
  Item* behind = events.Push(queues, 0, "a");
  Item* other = events.Push(queues, 0, "b");
  ASSERT_EQ(queues.Next(kStart), failed);
  queues.RetryAt(failed, kStart + seconds(5));
  EXPECT_EQ(queues.NextWake(), kStart + seconds(5));
  EXPECT_EQ(queues.Next(kStart), other);
  queues.Done(other);
  EXPECT_EQ(queues.Next(kStart + seconds(4)), nullptr);
  EXPECT_EQ(queues.Next(kStart + seconds(5)), failed);
  EXPECT_EQ(queues.NextWake(), std::nullopt);
  queues.Done(failed);
  EXPECT_EQ(queues.Next(kStart + seconds(5)), behind);
}

TEST(KeyQueues, PeekIsWhatNextGives) {
  KeyQueues queues(Ordering::kKey, 1);
  Events events;
  EXPECT_EQ(queues.Peek(kStart), nullptr);
  Item* item = events.Push(queues, 0, "a");
  EXPECT_EQ(queues.Peek(kStart), item);
  EXPECT_EQ(queues.in_flight(), 0U);
  EXPECT_EQ(queues.Next(kStart), item);
  EXPECT_EQ(queues.Peek(kStart), nullptr);
}

TEST(KeyQueues, WhatIsPutBackGoesFirstOrLast) {
  KeyQueues queues(Ordering::kKey, 1);
  Events events;
  Item* a = events.Push(queues, 0, "a");
  events.Push(queues, 0, "a");
  Item* b = events.Push(queues, 0, "b");
  ASSERT_EQ(queues.Next(kStart), a);
  queues.PutBack(a);
  ASSERT_EQ(queues.Next(kStart), a);
  queues.PutBack(a, KeyQueues::Turn::kLast);
  ASSERT_EQ(queues.Next(kStart), b);
  queues.PutBack(b, KeyQueues::Turn::kLast);
  EXPECT_EQ(queues.Next(kStart), a) << "still the head of its key";
}

TEST(KeyQueues, WhatHasFailedGoesBehindWhatIsYetToComeUntilThatEnds) {
  KeyQueues queues(Ordering::kKey, 1);
  Events events;
  Item* failed = events.Push(queues, 0, "a");
  Item* again = events.Push(queues, 0, "b");
  ASSERT_EQ(queues.Next(kStart), failed);
  queues.set_failed_last(true);
  queues.PutBack(failed, KeyQueues::Turn::kLast);
  ASSERT_EQ(queues.Next(kStart), again);
  queues.RetryAt(again, kStart + seconds(1));
  ASSERT_EQ(queues.Peek(kStart + seconds(1)), failed) << "nothing else is there";
  Item* fresh = events.Push(queues, 0, "c");
  ASSERT_EQ(queues.Next(kStart + seconds(1)), fresh);
  queues.set_failed_last(false);
  Item* late = events.Push(queues, 0, "d");
  queues.Done(fresh);
  for (Item* item : {failed, again, late}) {
    ASSERT_EQ(queues.Next(kStart + seconds(1)), item);
    queues.Done(item);
  }
}

TEST(KeyQueues, AHeadThatFailedBeforeCanBeDeferredBehindAllOthersOnce) {
  KeyQueues queues(Ordering::kKey, 1);
  Events events;
  Item* failed = events.Push(queues, 0, "a");
  Item* fresh = events.Push(queues, 0, "b");
  EXPECT_FALSE(queues.Defer(failed)) << "nothing goes last now";
  queues.set_failed_last(true);
  EXPECT_TRUE(queues.Defer(failed));
  EXPECT_FALSE(queues.Defer(failed)) << "it is there already";
  EXPECT_EQ(queues.Peek(kStart), fresh);
  Item* later = events.Push(queues, 0, "c");
  for (Item* item : {fresh, later, failed}) {
    ASSERT_EQ(queues.Next(kStart), item);
    EXPECT_FALSE(queues.Defer(item)) << "it is in flight";
    queues.Done(item);
  }
}

TEST(KeyQueues, AParkedEventHoldsItsKeyButNoPlaceInFlight) {
  KeyQueues queues(Ordering::kKey, 1);
  Events events;
  Item* parked = events.Push(queues, 0, "a");
  events.Push(queues, 0, "a");
  Item* other = events.Push(queues, 0, "b");
  ASSERT_EQ(queues.Next(kStart), parked);
  queues.Park(parked);
  EXPECT_EQ(queues.in_flight(), 0U);
  EXPECT_EQ(queues.Next(kStart), other);
  queues.Done(other);
  EXPECT_EQ(queues.Next(kStart + seconds(1000)), nullptr);
  queues.PutBack(parked);
  EXPECT_EQ(queues.Next(kStart), parked);
}

TEST(KeyQueues, AWaitCanEndEarly) {
  KeyQueues queues(Ordering::kKey, 1);
  Events events;
  Item* item = events.Push(queues, 0, "a");
  queues.Next(kStart);
  queues.RetryAt(item, kStart + seconds(9));
  queues.RetryAt(item, kStart + seconds(3));
  EXPECT_EQ(queues.NextWake(), kStart + seconds(3));
  queues.PutBack(item);
  EXPECT_EQ(queues.NextWake(), std::nullopt);
  EXPECT_EQ(queues.Next(kStart), item);
}

TEST(KeyQueues, EventsWithoutAKeyHaveNoOrder) {
  KeyQueues queues(Ordering::kKey, 64);
  Events events;
  Item* first = events.Push(queues, 0, std::nullopt);
  Item* second = events.Push(queues, 0, std::nullopt);
  EXPECT_EQ(queues.Next(kStart), first);
  EXPECT_EQ(queues.Next(kStart), second);
}

TEST(KeyQueues, AnEmptyKeyIsAKey) {
  KeyQueues queues(Ordering::kKey, 64);
  Events events;
  events.Push(queues, 0, "");
  events.Push(queues, 0, "");
  EXPECT_NE(queues.Next(kStart), nullptr);
  EXPECT_EQ(queues.Next(kStart), nullptr);
}

TEST(KeyQueues, OrderedByPartitionOneOfAPartitionIsInFlight) {
  KeyQueues queues(Ordering::kPartition, 64);
  Events events;
  events.Push(queues, 0, "a");
  events.Push(queues, 0, "b");
  events.Push(queues, 0, std::nullopt);
  events.Push(queues, 1, "a");
  EXPECT_EQ(queues.Next(kStart)->partition, 0U);
  EXPECT_EQ(queues.Next(kStart)->partition, 1U);
  EXPECT_EQ(queues.Next(kStart), nullptr);
}

TEST(KeyQueues, OrderedByNothingAKeyGoesInParallel) {
  KeyQueues queues(Ordering::kNone, 64);
  Events events;
  events.Push(queues, 0, "a");
  events.Push(queues, 0, "a");
  EXPECT_NE(queues.Next(kStart), nullptr);
  EXPECT_NE(queues.Next(kStart), nullptr);
}

TEST(KeyQueues, ARemovedPartitionDropsItsEventsAndCancelsThoseInFlight) {
  KeyQueues queues(Ordering::kKey, 64);
  Events events;
  Item* flying = events.Push(queues, 7, "a");
  Item* behind = events.Push(queues, 7, "a");
  Item* delayed = events.Push(queues, 7, "b");
  Item* parked = events.Push(queues, 7, "c");
  Item* ready = events.Push(queues, 7, "d");
  Item* other = events.Push(queues, 8, "a");
  ASSERT_EQ(queues.Next(kStart), flying);
  ASSERT_EQ(queues.Next(kStart), delayed);
  ASSERT_EQ(queues.Next(kStart), parked);
  queues.RetryAt(delayed, kStart + seconds(1));
  queues.Park(parked);

  auto dropped = queues.RemovePartition(7);
  std::sort(dropped.begin(), dropped.end(),
            [](const Item* a, const Item* b) { return a->offset < b->offset; });
  EXPECT_EQ(dropped, (std::vector<Item*>{flying, behind, delayed, parked, ready}));
  EXPECT_TRUE(flying->cancelled());
  EXPECT_FALSE(behind->cancelled());
  EXPECT_EQ(queues.in_flight(), 0U);
  EXPECT_EQ(queues.events(7), 0U);
  EXPECT_EQ(queues.NextWake(), std::nullopt);

  queues.Done(flying);  // the late result of a call that was cancelled
  queues.RetryAt(delayed, kStart);
  EXPECT_EQ(queues.Next(kStart + seconds(9)), other);
  EXPECT_EQ(queues.Next(kStart + seconds(9)), nullptr);
  EXPECT_TRUE(queues.RemovePartition(7).empty());
}

// Random work over many keys: every event exactly once, each key in order, never two of a key.
TEST(KeyQueues, RandomWorkKeepsTheOrderOfEachKeyAndLosesNothing) {
  std::mt19937 random(3);
  KeyQueues queues(Ordering::kKey, 16);
  Events events;
  std::map<std::string, std::vector<int64_t>> wanted, got;
  for (int i = 0; i < 5000; ++i) {
    const std::string key = std::to_string(random() % 3 ? random() % 2000 : 0);
    wanted[key].push_back(events.Push(queues, key.size(), key)->offset);
  }
  base::TimePoint now = kStart;
  std::vector<Item*> flying, parked;
  while (queues.waiting() + queues.in_flight() > 0) {
    while (Item* item = queues.Next(now)) flying.push_back(item);
    std::set<std::string> keys;
    for (const Item* item : flying) ASSERT_TRUE(keys.insert(*item->key).second);
    for (Item* item : parked) queues.PutBack(item, KeyQueues::Turn::kLast);
    parked.clear();
    now += seconds(1);
    if (flying.empty()) continue;
    std::swap(flying[random() % flying.size()], flying.back());
    Item* item = flying.back();
    flying.pop_back();
    switch (random() % 6) {
      case 0:
        queues.RetryAt(item, now + seconds(random() % 10));
        break;
      case 1:
        queues.PutBack(item);
        break;
      case 2:
        queues.Park(item);
        parked.push_back(item);
        break;
      default:
        got[*item->key].push_back(item->offset);
        queues.Done(item);
    }
  }
  EXPECT_EQ(got, wanted);
  EXPECT_EQ(queues.queues(), 0U);
}

}  // namespace
}  // namespace outrigger::deliver
