#include "base/ids.h"

#include <gtest/gtest.h>

#include <regex>
#include <set>

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

}  // namespace
}  // namespace outrigger::base
