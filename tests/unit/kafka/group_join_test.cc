#include "kafka/group_join.h"

#include <gtest/gtest.h>

namespace outrigger::kafka {
namespace {

using std::chrono::seconds;

class GroupJoinTest : public testing::Test {
 protected:
  const base::TimePoint start_ = base::TimePoint() + std::chrono::hours(1);
  GroupJoin join_;
};

TEST_F(GroupJoinTest, AMemberHasJoinedWhenPartitionsWereSharedOutUntilTheyAreLost) {
  EXPECT_FALSE(join_.joined());
  join_.OnShared(start_);
  EXPECT_TRUE(join_.joined());
  join_.OnLost();
  EXPECT_FALSE(join_.joined());
}

TEST_F(GroupJoinTest, AMemberWithoutPartitionsHasToJoinAgainWhenAMissingTopicHasCome) {
  join_.OnShared(start_);
  join_.OnTopicCame(start_ + seconds(5), false);
  EXPECT_FALSE(join_.joined());
  join_.OnShared(start_ + seconds(6));
  EXPECT_TRUE(join_.joined());
}

TEST_F(GroupJoinTest, AMemberThatHasJoinedSinceTheTopicWasMissingStaysJoined) {
  join_.OnShared(start_ + seconds(6));
  join_.OnTopicCame(start_ + seconds(5), false);
  EXPECT_TRUE(join_.joined());
}

TEST_F(GroupJoinTest, AMemberWithPartitionsStaysJoinedWhenAMissingTopicHasCome) {
  join_.OnShared(start_);
  join_.OnTopicCame(start_ + seconds(5), true);
  EXPECT_TRUE(join_.joined());
}

}  // namespace
}  // namespace outrigger::kafka
