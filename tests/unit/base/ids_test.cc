#include "base/ids.h"

#include <gtest/gtest.h>

#include <regex>
#include <set>

#include "base/backoff.h"

namespace outrigger::base {
namespace {

TEST(NewUuid7, HasTheShapeVersionAndTimeOfRfc9562) {
  const WallTime time{std::chrono::milliseconds(0x017F22E279B0)};
  const std::string id = NewUuid7(time);
  EXPECT_TRUE(std::regex_match(
      id, std::regex("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")))
      << id;
  EXPECT_EQ(id.substr(0, 13), "017f22e2-79b0");
}

TEST(NewUuid7, IdsOfOneThreadSortInTheOrderOfTheirMakingAndNeverRepeat) {
  const WallTime time{std::chrono::hours(1'000'000)};
  std::set<std::string> ids;
  std::string last;
  for (int i = 0; i < 20'000; ++i) {
    std::string id = NewUuid7(time);
    EXPECT_LT(last, id);
    ids.insert(id);
    last = std::move(id);
  }
  EXPECT_EQ(ids.size(), 20'000U);
}

TEST(Rfc3339, WritesUtcWithMilliseconds) {
  EXPECT_EQ(Rfc3339(WallTime(std::chrono::milliseconds(1'700'000'000'042))),
            "2023-11-14T22:13:20.042Z");
}

TEST(Backoff, StaysBelowADoublingBoundThatEndsAtTheMaximum) {
  Backoff backoff(std::chrono::milliseconds(100), std::chrono::milliseconds(350), 7);
  for (const int bound : {100, 200, 350, 350}) {
    const Duration wait = backoff.Next();
    EXPECT_GE(wait.count(), 0);
    EXPECT_LE(wait, std::chrono::milliseconds(bound));
  }
}

TEST(Backoff, IsSpreadOverTheWholeBound) {
  int low = 0;
  for (uint32_t seed = 0; seed < 1000; ++seed) {
    Backoff backoff(std::chrono::seconds(1), std::chrono::seconds(1), seed * 7919 + 1);
    if (backoff.Next() < std::chrono::milliseconds(500)) ++low;
  }
  EXPECT_GT(low, 350);
  EXPECT_LT(low, 650);
}

}  // namespace
}  // namespace outrigger::base
