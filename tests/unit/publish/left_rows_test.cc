#include "publish/left_rows.h"

#include <gtest/gtest.h>

namespace outrigger::publish {
namespace {

TEST(LeftRows, ARowIsShownUntilTheDiskWasAskedToRemoveIt) {
  LeftRows left;
  left.Add(1);
  EXPECT_TRUE(left.Contains(1));
  left.OnAsked();
  left.OnLookedAt();
  EXPECT_TRUE(left.Contains(1));
  left.OnRemove();
  EXPECT_FALSE(left.Contains(1));
}

TEST(LeftRows, APageThatWasAskedForBeforeMayStillShowIt) {
  LeftRows left;
  left.OnAsked();
  left.Add(1);
  left.OnRemove();
  left.OnAsked();
  EXPECT_TRUE(left.Contains(1));
  left.OnLookedAt();
  EXPECT_FALSE(left.Contains(1)) << "the second page is read after the removal";
}

TEST(LeftRows, TheSecondOfTwoPagesMayStillShowWhatIsRemovedAfterBothWereAskedFor) {
  LeftRows left;
  left.OnAsked();
  left.OnAsked();
  left.Add(1);
  left.OnRemove();
  left.OnLookedAt();
  EXPECT_TRUE(left.Contains(1));
  left.OnLookedAt();
  EXPECT_FALSE(left.Contains(1));
}

}  // namespace
}  // namespace outrigger::publish
