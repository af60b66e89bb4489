#include "kafka/troubles.h"

#include <gtest/gtest.h>

namespace outrigger::kafka {
namespace {

TEST(Troubles, OneNeverHidesOrEndsAnother) {
  Troubles troubles;
  EXPECT_TRUE(troubles.Begin(Trouble::kFetchRefused, "a/0", "no READ"));
  EXPECT_TRUE(troubles.Begin(Trouble::kFetchRefused, "a/1", "no READ"));
  EXPECT_TRUE(troubles.Begin(Trouble::kTopicMissing, "b", "unknown"));
  EXPECT_TRUE(troubles.End(Trouble::kFetchRefused, "a/0"));
  EXPECT_FALSE(troubles.End(Trouble::kFetchRefused, "a/0"));
  EXPECT_TRUE(troubles.holds(Trouble::kFetchRefused));
  EXPECT_TRUE(troubles.holds(Trouble::kFetchRefused, "a/1"));
  EXPECT_FALSE(troubles.holds(Trouble::kFetchRefused, "a/0"));
  EXPECT_FALSE(troubles.holds(Trouble::kGroup));
  EXPECT_TRUE(troubles.EndAll(Trouble::kFetchRefused));
  EXPECT_FALSE(troubles.EndAll(Trouble::kFetchRefused));
  EXPECT_FALSE(troubles.holds(Trouble::kFetchRefused));
  EXPECT_TRUE(troubles.holds(Trouble::kTopicMissing));
}

TEST(Troubles, TheSameTextAgainIsNoChangeAndAnotherReplacesIt) {
  Troubles troubles;
  EXPECT_TRUE(troubles.Begin(Trouble::kGroup, "", "one"));
  EXPECT_FALSE(troubles.Begin(Trouble::kGroup, "", "one"));
  EXPECT_TRUE(troubles.Begin(Trouble::kGroup, "", "two"));
  ASSERT_EQ(troubles.all().size(), 1u);
  EXPECT_EQ(troubles.all()[0].text, "two");
}

TEST(Troubles, TheyAreToldInOrderWhateverTheOrderInWhichTheyBegan) {
  Troubles troubles;
  troubles.Begin(Trouble::kNotFetching, "a/0", "does not move");
  troubles.Begin(Trouble::kGroup, "", "refused");
  const auto all = troubles.all();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].trouble, Trouble::kGroup);
  EXPECT_EQ(all[1].where, "a/0");
}

}  // namespace
}  // namespace outrigger::kafka
