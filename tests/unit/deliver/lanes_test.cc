#include "deliver/lanes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <set>

namespace outrigger::deliver {
namespace {

using Item = Lanes::Item;
using std::chrono::seconds;

const base::TimePoint kStart{};

// Owns the items that tests push.
class Events {
 public:
  Item* Push(Lanes& lanes, uint64_t partition, std::optional<std::string> key, size_t bytes = 1) {
    auto item = std::make_unique<Item>();
    item->partition = partition;
    item->offset = static_cast<int64_t>(items_.size());
    item->key = std::move(key);
    item->bytes = bytes;
    lanes.Push(item.get());
    return items_.emplace_back(std::move(item)).get();
  }

 private:
  std::vector<std::unique_ptr<Item>> items_;
};

TEST(Lanes, OnlyTheHeadOfAKeyIsInFlight) {
  Lanes lanes(Ordering::kKey, 64);
  Events events;
  Item* first = events.Push(lanes, 0, "a");
  Item* second = events.Push(lanes, 0, "a");
  EXPECT_EQ(lanes.Next(kStart), first);
  EXPECT_EQ(lanes.Next(kStart), nullptr);
  lanes.Done(first);
  EXPECT_EQ(lanes.Next(kStart), second);
  lanes.Done(second);
  EXPECT_EQ(lanes.lanes(), 0U);
}

TEST(Lanes, AHotKeyDoesNotDelayOthers) {
  Lanes lanes(Ordering::kKey, 2);
  Events events;
  for (int i = 0; i < 1000; ++i) events.Push(lanes, 0, "hot");
  Item* cold = events.Push(lanes, 0, "cold");
  EXPECT_EQ(lanes.Next(kStart)->key, "hot");
  EXPECT_EQ(lanes.Next(kStart), cold);
}

TEST(Lanes, ReadyKeysTakeTurns) {
  Lanes lanes(Ordering::kKey, 1);
  Events events;
  for (int i = 0; i < 3; ++i)
    for (const char* key : {"a", "b", "c"}) events.Push(lanes, 0, key);
  std::string order;
  while (Item* item = lanes.Next(kStart)) {
    order += *item->key;
    lanes.Done(item);
  }
  EXPECT_EQ(order, "abcabcabc");
}

TEST(Lanes, NoMoreThanConcurrencyAreInFlight) {
  Lanes lanes(Ordering::kKey, 3);
  Events events;
  for (int i = 0; i < 10; ++i) events.Push(lanes, 0, std::to_string(i));
  std::vector<Item*> flying;
  while (Item* item = lanes.Next(kStart)) flying.push_back(item);
  EXPECT_EQ(flying.size(), 3U);
  EXPECT_EQ(lanes.in_flight(), 3U);
  EXPECT_EQ(lanes.waiting(), 7U);
  lanes.set_concurrency(1);
  lanes.Done(flying[0]);
  EXPECT_EQ(lanes.Next(kStart), nullptr);
  lanes.set_concurrency(3);
  EXPECT_NE(lanes.Next(kStart), nullptr);
}

TEST(Lanes, AKeyThatWaitsForItsRetryHoldsOnlyItself) {
  Lanes lanes(Ordering::kKey, 1);
  Events events;
  Item* failed = events.Push(lanes, 0, "a");
  Item* behind = events.Push(lanes, 0, "a");
  Item* other = events.Push(lanes, 0, "b");
  ASSERT_EQ(lanes.Next(kStart), failed);
  lanes.RetryAt(failed, kStart + seconds(5));
  EXPECT_EQ(lanes.NextWake(), kStart + seconds(5));
  EXPECT_EQ(lanes.Next(kStart), other);
  lanes.Done(other);
  EXPECT_EQ(lanes.Next(kStart + seconds(4)), nullptr);
  EXPECT_EQ(lanes.Next(kStart + seconds(5)), failed);
  EXPECT_EQ(lanes.NextWake(), std::nullopt);
  lanes.Done(failed);
  EXPECT_EQ(lanes.Next(kStart + seconds(5)), behind);
}

TEST(Lanes, PeekIsWhatNextGives) {
  Lanes lanes(Ordering::kKey, 1);
  Events events;
  EXPECT_EQ(lanes.Peek(kStart), nullptr);
  Item* item = events.Push(lanes, 0, "a");
  EXPECT_EQ(lanes.Peek(kStart), item);
  EXPECT_EQ(lanes.in_flight(), 0U);
  EXPECT_EQ(lanes.Next(kStart), item);
  EXPECT_EQ(lanes.Peek(kStart), nullptr);
}

TEST(Lanes, WhatIsGivenBackGoesFirstOrLast) {
  Lanes lanes(Ordering::kKey, 1);
  Events events;
  Item* a = events.Push(lanes, 0, "a");
  events.Push(lanes, 0, "a");
  Item* b = events.Push(lanes, 0, "b");
  ASSERT_EQ(lanes.Next(kStart), a);
  lanes.GiveBack(a);
  ASSERT_EQ(lanes.Next(kStart), a);
  lanes.GiveBack(a, Lanes::Turn::kLast);
  ASSERT_EQ(lanes.Next(kStart), b);
  lanes.GiveBack(b, Lanes::Turn::kLast);
  EXPECT_EQ(lanes.Next(kStart), a) << "still the head of its key";
}

TEST(Lanes, WhatHasFailedGoesBehindWhatIsYetToComeUntilThatEnds) {
  Lanes lanes(Ordering::kKey, 1);
  Events events;
  Item* failed = events.Push(lanes, 0, "a");
  Item* again = events.Push(lanes, 0, "b");
  ASSERT_EQ(lanes.Next(kStart), failed);
  lanes.set_failed_last(true);
  lanes.GiveBack(failed, Lanes::Turn::kLast);
  ASSERT_EQ(lanes.Next(kStart), again);
  lanes.RetryAt(again, kStart + seconds(1));
  ASSERT_EQ(lanes.Peek(kStart + seconds(1)), failed) << "nothing else is there";
  Item* fresh = events.Push(lanes, 0, "c");
  ASSERT_EQ(lanes.Next(kStart + seconds(1)), fresh);
  lanes.set_failed_last(false);
  Item* late = events.Push(lanes, 0, "d");
  lanes.Done(fresh);
  for (Item* item : {failed, again, late}) {
    ASSERT_EQ(lanes.Next(kStart + seconds(1)), item);
    lanes.Done(item);
  }
}

TEST(Lanes, AHeadThatFailedBeforeCanBeDeferredBehindAllOthersOnce) {
  Lanes lanes(Ordering::kKey, 1);
  Events events;
  Item* failed = events.Push(lanes, 0, "a");
  Item* fresh = events.Push(lanes, 0, "b");
  EXPECT_FALSE(lanes.Defer(failed)) << "nothing goes last now";
  lanes.set_failed_last(true);
  EXPECT_TRUE(lanes.Defer(failed));
  EXPECT_FALSE(lanes.Defer(failed)) << "it is there already";
  EXPECT_EQ(lanes.Peek(kStart), fresh);
  Item* later = events.Push(lanes, 0, "c");
  for (Item* item : {fresh, later, failed}) {
    ASSERT_EQ(lanes.Next(kStart), item);
    EXPECT_FALSE(lanes.Defer(item)) << "it is in flight";
    lanes.Done(item);
  }
}

TEST(Lanes, AParkedEventHoldsItsKeyButNoPlaceInFlight) {
  Lanes lanes(Ordering::kKey, 1);
  Events events;
  Item* parked = events.Push(lanes, 0, "a");
  events.Push(lanes, 0, "a");
  Item* other = events.Push(lanes, 0, "b");
  ASSERT_EQ(lanes.Next(kStart), parked);
  lanes.Park(parked);
  EXPECT_EQ(lanes.in_flight(), 0U);
  EXPECT_EQ(lanes.Next(kStart), other);
  lanes.Done(other);
  EXPECT_EQ(lanes.Next(kStart + seconds(1000)), nullptr);
  lanes.GiveBack(parked);
  EXPECT_EQ(lanes.Next(kStart), parked);
}

TEST(Lanes, AWaitCanEndEarly) {
  Lanes lanes(Ordering::kKey, 1);
  Events events;
  Item* item = events.Push(lanes, 0, "a");
  lanes.Next(kStart);
  lanes.RetryAt(item, kStart + seconds(9));
  lanes.RetryAt(item, kStart + seconds(3));
  EXPECT_EQ(lanes.NextWake(), kStart + seconds(3));
  lanes.GiveBack(item);
  EXPECT_EQ(lanes.NextWake(), std::nullopt);
  EXPECT_EQ(lanes.Next(kStart), item);
}

TEST(Lanes, EventsWithoutAKeyHaveNoOrder) {
  Lanes lanes(Ordering::kKey, 64);
  Events events;
  Item* first = events.Push(lanes, 0, std::nullopt);
  Item* second = events.Push(lanes, 0, std::nullopt);
  EXPECT_EQ(lanes.Next(kStart), first);
  EXPECT_EQ(lanes.Next(kStart), second);
}

TEST(Lanes, AnEmptyKeyIsAKey) {
  Lanes lanes(Ordering::kKey, 64);
  Events events;
  events.Push(lanes, 0, "");
  events.Push(lanes, 0, "");
  EXPECT_NE(lanes.Next(kStart), nullptr);
  EXPECT_EQ(lanes.Next(kStart), nullptr);
}

TEST(Lanes, OrderedByPartitionOneOfAPartitionIsInFlight) {
  Lanes lanes(Ordering::kPartition, 64);
  Events events;
  events.Push(lanes, 0, "a");
  events.Push(lanes, 0, "b");
  events.Push(lanes, 0, std::nullopt);
  events.Push(lanes, 1, "a");
  EXPECT_EQ(lanes.Next(kStart)->partition, 0U);
  EXPECT_EQ(lanes.Next(kStart)->partition, 1U);
  EXPECT_EQ(lanes.Next(kStart), nullptr);
}

TEST(Lanes, OrderedByNothingAKeyGoesInParallel) {
  Lanes lanes(Ordering::kNone, 64);
  Events events;
  events.Push(lanes, 0, "a");
  events.Push(lanes, 0, "a");
  EXPECT_NE(lanes.Next(kStart), nullptr);
  EXPECT_NE(lanes.Next(kStart), nullptr);
}

TEST(Lanes, ARemovedPartitionDropsItsEventsAndCancelsThoseInFlight) {
  Lanes lanes(Ordering::kKey, 64);
  Events events;
  Item* flying = events.Push(lanes, 7, "a", 10);
  Item* behind = events.Push(lanes, 7, "a", 10);
  Item* delayed = events.Push(lanes, 7, "b", 10);
  Item* parked = events.Push(lanes, 7, "c", 10);
  Item* ready = events.Push(lanes, 7, "d", 10);
  Item* other = events.Push(lanes, 8, "a", 5);
  ASSERT_EQ(lanes.Next(kStart), flying);
  ASSERT_EQ(lanes.Next(kStart), delayed);
  ASSERT_EQ(lanes.Next(kStart), parked);
  lanes.RetryAt(delayed, kStart + seconds(1));
  lanes.Park(parked);

  auto dropped = lanes.RemovePartition(7);
  std::sort(dropped.begin(), dropped.end(),
            [](const Item* a, const Item* b) { return a->offset < b->offset; });
  EXPECT_EQ(dropped, (std::vector<Item*>{flying, behind, delayed, parked, ready}));
  EXPECT_TRUE(flying->cancelled());
  EXPECT_FALSE(behind->cancelled());
  EXPECT_EQ(lanes.in_flight(), 0U);
  EXPECT_EQ(lanes.bytes(), 5U);
  EXPECT_EQ(lanes.events(7), 0U);
  EXPECT_EQ(lanes.NextWake(), std::nullopt);

  lanes.Done(flying);  // the late result of a call that was cancelled
  lanes.RetryAt(delayed, kStart);
  EXPECT_EQ(lanes.Next(kStart + seconds(9)), other);
  EXPECT_EQ(lanes.Next(kStart + seconds(9)), nullptr);
  EXPECT_TRUE(lanes.RemovePartition(7).empty());
}

TEST(Lanes, EventsAndBytesAreBounded) {
  Lanes lanes(Ordering::kKey, 64);
  Events events;
  Item* item = events.Push(lanes, 0, "a", 60);
  EXPECT_FALSE(lanes.over(2, 100));
  events.Push(lanes, 0, "b", 40);
  EXPECT_TRUE(lanes.over(2, 1000)) << "events";
  EXPECT_TRUE(lanes.over(1000, 100)) << "bytes";
  EXPECT_EQ(lanes.events(0), 2U);
  lanes.Next(kStart);
  EXPECT_EQ(lanes.bytes(), 100U) << "in flight they are still in memory";
  lanes.Done(item);
  EXPECT_FALSE(lanes.over(2, 100));
}

// Random work over many keys: every event exactly once, each key in order, never two of a key.
TEST(Lanes, RandomWorkKeepsTheOrderOfEachKeyAndLosesNothing) {
  std::mt19937 random(3);
  Lanes lanes(Ordering::kKey, 16);
  Events events;
  std::map<std::string, std::vector<int64_t>> wanted, got;
  for (int i = 0; i < 5000; ++i) {
    const std::string key = std::to_string(random() % 3 ? random() % 2000 : 0);
    wanted[key].push_back(events.Push(lanes, key.size(), key)->offset);
  }
  base::TimePoint now = kStart;
  std::vector<Item*> flying, parked;
  while (lanes.waiting() + lanes.in_flight() > 0) {
    while (Item* item = lanes.Next(now)) flying.push_back(item);
    std::set<std::string> keys;
    for (const Item* item : flying) ASSERT_TRUE(keys.insert(*item->key).second);
    for (Item* item : parked) lanes.GiveBack(item, Lanes::Turn::kLast);
    parked.clear();
    now += seconds(1);
    if (flying.empty()) continue;
    std::swap(flying[random() % flying.size()], flying.back());
    Item* item = flying.back();
    flying.pop_back();
    switch (random() % 6) {
      case 0:
        lanes.RetryAt(item, now + seconds(random() % 10));
        break;
      case 1:
        lanes.GiveBack(item);
        break;
      case 2:
        lanes.Park(item);
        parked.push_back(item);
        break;
      default:
        got[*item->key].push_back(item->offset);
        lanes.Done(item);
    }
  }
  EXPECT_EQ(got, wanted);
  EXPECT_EQ(lanes.lanes(), 0U);
  EXPECT_EQ(lanes.bytes(), 0U);
}

}  // namespace
}  // namespace outrigger::deliver
