#include "publish/known_events.h"

#include <gtest/gtest.h>

#include "publish/pending.h"

namespace outrigger::publish {
namespace {

using std::chrono::minutes;

const base::TimePoint kStart{};

Outcome AckedIn(const std::string& topic) {
  Outcome outcome;
  outcome.targets.emplace_back().topic = topic;
  outcome.targets.front().status = Target::Status::kAcked;
  return outcome;
}

// A new event that was acked at `now`.
void AddDecided(KnownEvents& known, const std::string& name, base::TimePoint now,
                uint64_t fingerprint = 1) {
  known.Decide(known.Add(name, fingerprint), AckedIn("t"), now);
}

TEST(KnownEvents, FindsWhatWasDecidedUntilTheWindowIsOver) {
  KnownEvents known(10, minutes(10));
  const std::string name = KnownEvents::Name("app", "1");
  EXPECT_EQ(known.Find(name, kStart), nullptr);
  AddDecided(known, name, kStart, 7);
  ASSERT_NE(known.Find(name, kStart + minutes(10)), nullptr);
  EXPECT_EQ(known.Find(name, kStart)->fingerprint, 7U);
  EXPECT_EQ(known.Find(name, kStart + minutes(11)), nullptr);
  EXPECT_EQ(known.size(), 0U);
}

TEST(KnownEvents, SourceAndIdTogetherAreTheName) {
  EXPECT_NE(KnownEvents::Name("a", "b"), KnownEvents::Name("ab", ""));
}

TEST(KnownEvents, OfTheDecidedTheOldestGoWhenFull) {
  KnownEvents known(2, minutes(10));
  for (const char* name : {"first", "second", "third"}) AddDecided(known, name, kStart);
  EXPECT_EQ(known.Find("first", kStart), nullptr);
  EXPECT_NE(known.Find("second", kStart), nullptr);
  EXPECT_NE(known.Find("third", kStart), nullptr);
}

TEST(KnownEvents, APendingEventStaysAndKeepsNoOtherFromAgeing) {
  KnownEvents known(100, minutes(10));
  Pending pending;
  known.Open(known.Add("stuck", 1), pending);
  base::TimePoint now = kStart;
  for (int i = 0; i < 10'000; ++i) {
    now += std::chrono::seconds(1);
    AddDecided(known, std::to_string(i), now);
  }
  EXPECT_EQ(known.size(), 101U);
  ASSERT_NE(known.Find("stuck", now), nullptr);
  EXPECT_EQ(known.Find("stuck", now)->pending, &pending);
  EXPECT_NE(known.Find("stuck", now + minutes(11)), nullptr);
  EXPECT_EQ(known.size(), 1U);
}

TEST(KnownEvents, AnEventThatIsSentAgainIsPendingAgain) {
  KnownEvents known(2, minutes(10));
  Pending pending;
  AddDecided(known, "again", kStart);
  known.Open(*known.Find("again", kStart), pending);
  for (const char* name : {"a", "b", "c"}) AddDecided(known, name, kStart);
  ASSERT_NE(known.Find("again", kStart + minutes(11)), nullptr);
  EXPECT_EQ(known.Find("again", kStart)->outcome.targets.size(), 1U);
  known.Forget(*known.Find("again", kStart));
  EXPECT_EQ(known.size(), 0U);
}

TEST(KnownEvents, LongNamesTakeNoMoreMemoryThanManyShortOnes) {
  KnownEvents known(1000, minutes(10), 1 << 20);
  for (int i = 0; i < 100; ++i)
    AddDecided(known, std::string(100'000, 'x') + std::to_string(i), kStart);
  EXPECT_EQ(known.size(), 10U);
  for (int i = 0; i < 1000; ++i) AddDecided(known, std::to_string(i), kStart);
  EXPECT_EQ(known.size(), 1000U);
}

}  // namespace
}  // namespace outrigger::publish
