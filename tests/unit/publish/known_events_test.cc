#include "publish/known_events.h"

#include <gtest/gtest.h>

namespace outrigger::publish {
namespace {

using std::chrono::minutes;

TEST(KnownEvents, FindsWhatWasAddedUntilTheWindowIsOver) {
  KnownEvents known(10, minutes(10));
  const base::TimePoint start{};
  const std::string name = KnownEvents::Name("app", "1");
  EXPECT_EQ(known.Find(name, start), nullptr);
  known.Add(name, 7, start);
  ASSERT_NE(known.Find(name, start + minutes(10)), nullptr);
  EXPECT_EQ(known.Find(name, start)->fingerprint, 7U);
  EXPECT_EQ(known.Find(name, start + minutes(11)), nullptr);
  EXPECT_EQ(known.size(), 0U);
}

TEST(KnownEvents, SourceAndIdTogetherAreTheName) {
  EXPECT_NE(KnownEvents::Name("a", "b"), KnownEvents::Name("ab", ""));
}

TEST(KnownEvents, TheOldestGoesWhenFullButNeverAPendingOne) {
  KnownEvents known(2, minutes(10));
  const base::TimePoint now{};
  known.Add("first", 1, now);
  known.Add("second", 2, now);
  known.Add("third", 3, now);
  EXPECT_EQ(known.Find("first", now), nullptr);
  ASSERT_NE(known.Find("second", now), nullptr);

  alignas(8) static char somewhere[8];
  known.Find("second", now)->pending = reinterpret_cast<Pending*>(somewhere);
  known.Add("fourth", 4, now);
  EXPECT_NE(known.Find("second", now), nullptr);
  EXPECT_EQ(known.size(), 3U);
}

}  // namespace
}  // namespace outrigger::publish
