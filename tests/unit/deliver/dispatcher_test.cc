#include "deliver/dispatcher.h"

#include <gtest/gtest.h>

#include <deque>

namespace outrigger::deliver {
namespace {

using Action = Verdict::Action;
using Event = Dispatcher::Event;
using Kind = AppCircuit::Kind;
using What = Dispatcher::What;
using std::chrono::milliseconds;
using std::chrono::seconds;

class DispatcherTest : public testing::Test {
 protected:
  DispatcherTest() {
    partition_.number = 1;
    partition_.room = &room_;
    room_.Add(partition_.offsets);
  }

  Event& Add(int64_t offset, const std::string& key, Verdict verdict = {}) {
    EXPECT_EQ(partition_.offsets.Add(offset), PartitionOffsets::Added::kNew);
    Event& event = events_.emplace_back();
    event.home = &partition_;
    event.offset = offset;
    event.key = key;
    event.verdict = std::move(verdict);
    dispatcher_.Add(event, now_);
    return event;
  }
  void Result(Event& event, Action action, Kind kind) {
    dispatcher_.OnResult(event, {{action}, kind}, now_);
  }
  // What was decided, each as the event's offset and what becomes of it.
  std::vector<std::pair<int64_t, What>> Decided() {
    std::vector<Dispatcher::Decided> decided;
    dispatcher_.TakeDecided(decided);
    std::vector<std::pair<int64_t, What>> told;
    for (const auto& each : decided) told.emplace_back(each.event->offset, each.what);
    return told;
  }
  using Told = std::vector<std::pair<int64_t, What>>;

  base::TimePoint now_{seconds(1000)};
  MetadataRoom room_;
  Dispatcher::Partition partition_;
  std::deque<Event> events_;
  Dispatcher dispatcher_{
      {Ordering::kKey, 2, {3, milliseconds(100), seconds(1), {}}, CircuitPolicy{}},
      [] { return uint64_t{0}; }};
};

TEST_F(DispatcherTest, WhatSucceedsLeavesWhenItIsSettled) {
  Event& event = Add(0, "a");
  ASSERT_EQ(dispatcher_.Next(now_), &event);
  EXPECT_EQ(partition_.in_flight, 1U);
  Result(event, Action::kDone, Kind::kSuccess);
  EXPECT_EQ(partition_.in_flight, 0U);
  EXPECT_EQ(Decided(), (Told{{0, What::kDelivered}}));
  EXPECT_EQ(partition_.offsets.committable(), 0) << "not before its owner says so";
  dispatcher_.Settle(event);
  EXPECT_EQ(partition_.offsets.committable(), 1);
  EXPECT_EQ(dispatcher_.Find(event.id), nullptr);
}

TEST_F(DispatcherTest, TheNextAttemptWaitsUntilTheCountIsCommitted) {
  Event& event = Add(0, "a");
  ASSERT_EQ(dispatcher_.Next(now_), &event);
  Result(event, Action::kRetry, Kind::kFailure);
  EXPECT_EQ(Decided(), (Told{{0, What::kRetried}}));
  EXPECT_EQ(partition_.offsets.attempts(0), 1U);
  now_ += seconds(100);
  EXPECT_EQ(dispatcher_.Next(now_), nullptr);
  dispatcher_.Committed(partition_, event.counted_version - 1);
  EXPECT_EQ(dispatcher_.Next(now_), nullptr) << "that commit was older";
  dispatcher_.Committed(partition_, event.counted_version);
  EXPECT_EQ(dispatcher_.Next(now_), &event);
}

TEST_F(DispatcherTest, AfterItsLastAttemptAnEventIsGivenUpAndHoldsItsKey) {
  Event& event = Add(0, "a");
  Add(1, "a");
  Event& other = Add(2, "b");
  for (int attempt = 0; attempt < 3; ++attempt) {
    ASSERT_EQ(dispatcher_.Next(now_), &event);
    Result(event, Action::kRetry, Kind::kFailure);
    dispatcher_.Committed(partition_, partition_.offsets.version());
    if (attempt == 0) {
      ASSERT_EQ(dispatcher_.Next(now_), &other);
      Result(other, Action::kDone, Kind::kSuccess);
    }
    now_ += seconds(1);
  }
  EXPECT_EQ(Decided().back(), (std::pair(int64_t{0}, What::kGivenUp)));
  EXPECT_EQ(dispatcher_.Next(now_), nullptr);
  dispatcher_.RetryGivenUp(event, now_);
  now_ += seconds(1);
  EXPECT_EQ(dispatcher_.Next(now_), &event);
}

TEST_F(DispatcherTest, WhatCantBeReadIsGivenUpUnsentWhenItIsItsTurn) {
  Event& first = Add(0, "a");
  Event& broken = Add(1, "a", Undecodable("no JSON"));
  ASSERT_EQ(dispatcher_.Next(now_), &first);
  EXPECT_EQ(Decided(), Told{});
  Result(first, Action::kDone, Kind::kSuccess);
  Decided();
  dispatcher_.Settle(first);
  EXPECT_EQ(dispatcher_.Next(now_), nullptr);
  EXPECT_EQ(Decided(), (Told{{1, What::kGivenUp}}));
  dispatcher_.RetryGivenUp(broken, now_);
  EXPECT_EQ(dispatcher_.Next(now_ + seconds(100)), nullptr) << "no try will change that";
}

TEST_F(DispatcherTest, WhatCantBeSentIsGivenUp) {
  Event& event = Add(0, "a");
  ASSERT_EQ(dispatcher_.Next(now_), &event);
  dispatcher_.OnUnsendable(event, Undecodable("no id"));
  EXPECT_EQ(Decided(), (Told{{0, What::kGivenUp}}));
  EXPECT_EQ(partition_.in_flight, 0U);
}

TEST_F(DispatcherTest, OfARevokedPartitionNothingBegins) {
  Event& flying = Add(0, "a");
  Add(1, "b");
  ASSERT_EQ(dispatcher_.Next(now_), &flying);
  partition_.revoked = true;
  EXPECT_EQ(dispatcher_.Next(now_), nullptr);
  Result(flying, Action::kRetry, Kind::kFailure);
  dispatcher_.Committed(partition_, partition_.offsets.version());
  EXPECT_EQ(dispatcher_.Next(now_ + seconds(10)), nullptr);
}

TEST_F(DispatcherTest, WithItsPartitionAnEventLeavesUnsettledAndNothingIsToldOfItAnyMore) {
  Event& flying = Add(0, "a");
  Event& failed = Add(1, "b");
  ASSERT_EQ(dispatcher_.Next(now_), &flying);
  ASSERT_EQ(dispatcher_.Next(now_), &failed);
  Result(failed, Action::kRetry, Kind::kFailure);
  dispatcher_.Remove(partition_);
  EXPECT_EQ(Decided(), Told{});
  EXPECT_EQ(dispatcher_.Find(flying.id), nullptr);
  EXPECT_EQ(dispatcher_.in_flight(), 0U);
  EXPECT_EQ(partition_.in_flight, 0U);
  EXPECT_EQ(partition_.offsets.committable(), 0);
  dispatcher_.Committed(partition_, partition_.offsets.version());
  EXPECT_EQ(dispatcher_.Next(now_ + seconds(100)), nullptr);
}

TEST_F(DispatcherTest, WhatHasNoRoomInTheMetadataWaitsForIt) {
  // Every other one settles until the metadata is full; the first holds the commit.
  for (int64_t offset = 0; offset < 60'000; ++offset) {
    partition_.offsets.Add(offset);
    if (offset % 7 == 0 || !partition_.offsets.MayBegin(offset)) continue;
    partition_.offsets.Begin(offset);
    partition_.offsets.Settle(offset);
  }
  Event& event = Add(60'000, "a");
  EXPECT_EQ(dispatcher_.Next(now_), nullptr);
  EXPECT_EQ(Decided(), (Told{{60'000, What::kNoted}}));
  EXPECT_FALSE(dispatcher_.UseRoom(partition_));
  for (int64_t offset = 0; offset < 60'000; ++offset) partition_.offsets.Settle(offset);
  EXPECT_TRUE(dispatcher_.UseRoom(partition_));
  EXPECT_EQ(dispatcher_.Next(now_), &event);
}

TEST_F(DispatcherTest, AnAppThatIsDownUsesNoAttemptAndIsProbed) {
  Event& event = Add(0, "a");
  ASSERT_EQ(dispatcher_.Next(now_), &event);
  Result(event, Action::kAppDown, Kind::kRefused);
  EXPECT_EQ(dispatcher_.state(), AppCircuit::State::kDown);
  EXPECT_EQ(Decided(), Told{});
  EXPECT_EQ(dispatcher_.Next(now_), nullptr);
  now_ = *dispatcher_.NextWake(now_);
  ASSERT_TRUE(dispatcher_.TakeProbe(now_));
  dispatcher_.OnProbe(AppCircuit::Probe::kUp, now_);
  EXPECT_EQ(dispatcher_.Next(now_), &event);
  EXPECT_EQ(partition_.offsets.attempts(0), 0U);
}

TEST_F(DispatcherTest, WhatADegradedAppCountedIsTakenBackAndTold) {
  for (int64_t offset = 0; offset < 20; ++offset) {
    Event& event = Add(offset, std::to_string(offset));
    ASSERT_EQ(dispatcher_.Next(now_), &event);
    Result(event, Action::kRetry, Kind::kFailure);
  }
  EXPECT_EQ(dispatcher_.state(), AppCircuit::State::kDegraded);
  size_t noted = 0;
  for (const auto& [offset, what] : Decided())
    if (what == What::kNoted) ++noted;
  EXPECT_EQ(noted, 19U);
  for (int64_t offset = 0; offset < 20; ++offset)
    EXPECT_EQ(partition_.offsets.attempts(offset), 0U);
}

}  // namespace
}  // namespace outrigger::deliver
