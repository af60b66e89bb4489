#include "deliver/accusations.h"

#include <gtest/gtest.h>

namespace outrigger::deliver {
namespace {

using std::chrono::seconds;

class AccusationsTest : public testing::Test {
 protected:
  bool ToBlame(uint64_t key) const { return accusations_.ToBlame(key, now_); }
  void Succeed(uint64_t key, bool recovered = false) {
    accusations_.OnSuccess(key, now_, now_, recovered);
  }

  Accusations accusations_{seconds(30)};
  base::TimePoint now_{seconds(1000)};
};

TEST_F(AccusationsTest, ASuccessOfAnotherKeyThatBeganLaterBlamesTheKey) {
  EXPECT_TRUE(accusations_.OnFailure(1, now_));
  EXPECT_FALSE(ToBlame(1));
  accusations_.OnSuccess(2, now_ - seconds(1), now_, false);
  EXPECT_FALSE(ToBlame(1)) << "it had begun before";
  Succeed(2);
  EXPECT_TRUE(ToBlame(1));
  EXPECT_FALSE(accusations_.OnFailure(1, now_));
}

TEST_F(AccusationsTest, AKeyIsToBlameUntilItSucceeds) {
  accusations_.OnFailure(1, now_);
  Succeed(2);
  Succeed(1);
  EXPECT_FALSE(ToBlame(1));
}

TEST_F(AccusationsTest, AKeyIsToBlameUntilItHasNotFailedForTheWindow) {
  accusations_.Blame(1, now_);
  now_ += seconds(29);
  accusations_.OnFailure(1, now_);
  now_ += seconds(29);
  EXPECT_TRUE(ToBlame(1));
  now_ += seconds(1);
  EXPECT_FALSE(ToBlame(1));
}

TEST_F(AccusationsTest, TheFirstRecoveryBlamesNobodyAndTheSecondDoes) {
  accusations_.OnFailure(1, now_);
  accusations_.OnFailure(2, now_);
  Succeed(9, true);
  EXPECT_FALSE(ToBlame(1));
  Succeed(9);
  EXPECT_FALSE(ToBlame(1)) << "it failed before the app recovered";
  accusations_.OnFailure(1, now_);
  Succeed(9, true);
  EXPECT_TRUE(ToBlame(1));
  EXPECT_FALSE(ToBlame(2)) << "it has not failed since";
}

TEST_F(AccusationsTest, AKeyThatSucceedsBetweenTwoRecoveriesIsNotToBlame) {
  accusations_.OnFailure(1, now_);
  Succeed(9, true);
  Succeed(1);
  accusations_.OnFailure(1, now_);
  Succeed(9, true);
  EXPECT_FALSE(ToBlame(1));
}

TEST_F(AccusationsTest, WhatFailedBeforeTheAppWasAwayIsNotJudgedByWhatSucceedsAfter) {
  accusations_.OnFailure(1, now_);
  accusations_.OnInterruption();
  Succeed(9);
  EXPECT_FALSE(ToBlame(1));
}

TEST_F(AccusationsTest, ManyKeysDoNotGrowItWithoutBound) {
  for (uint64_t key = 0; key < 100'000; ++key) accusations_.OnFailure(key, now_);
  Succeed(1'000'000);
  int blamed = 0;
  for (uint64_t key = 0; key < 100'000; ++key) blamed += ToBlame(key);
  EXPECT_LE(blamed, 4096);
  EXPECT_TRUE(ToBlame(99'999)) << "the last ones are known";
}

}  // namespace
}  // namespace outrigger::deliver
