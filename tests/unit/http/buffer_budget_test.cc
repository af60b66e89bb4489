#include "http/buffer_budget.h"

#include <gtest/gtest.h>

namespace outrigger::http {
namespace {

constexpr uint64_t kKiB = 1024;
constexpr uint64_t kFree = BufferBudget::kUncounted;
using Use = BufferBudget::Use;

class Shares : public testing::Test {
 protected:
  Shares() {
    limits_.max_bodies = 100 * kKiB;
    limits_.max_answers = 10 * kKiB;
  }

  Limits limits_;
  BufferBudget budget_{limits_};
  BufferShare one_{budget_, Use::kBodies};
  BufferShare other_{budget_, Use::kBodies};
  BufferShare answer_{budget_, Use::kAnswers};
};

TEST_F(Shares, CountWhatIsBeyondTheFirst16KiBOfEach) {
  EXPECT_TRUE(one_.Hold(kFree));
  EXPECT_TRUE(other_.Hold(kFree + 1));
  EXPECT_EQ(budget_.held(Use::kBodies), 1U);
}

TEST_F(Shares, HoldWhatIsLeftByTheOthersAndNoByteMore) {
  EXPECT_TRUE(one_.Hold(kFree + 60 * kKiB));
  EXPECT_TRUE(other_.HasRoom(kFree + 40 * kKiB));
  EXPECT_FALSE(other_.HasRoom(kFree + 40 * kKiB + 1));
  EXPECT_FALSE(other_.Hold(kFree + 40 * kKiB + 1));
  EXPECT_TRUE(other_.Hold(kFree + 40 * kKiB));
  EXPECT_EQ(budget_.held(Use::kBodies), 100 * kKiB);
}

TEST_F(Shares, AlwaysHaveRoomForASmallBody) {
  EXPECT_TRUE(one_.Hold(kFree + 100 * kKiB));
  EXPECT_TRUE(other_.HasRoom(kFree));
  EXPECT_TRUE(other_.Hold(kFree));
}

TEST_F(Shares, KeepWhatTheyHeldWhereThereIsNoRoomForMore) {
  EXPECT_TRUE(one_.Hold(kFree + 60 * kKiB));
  EXPECT_FALSE(one_.Hold(kFree + 101 * kKiB));
  EXPECT_EQ(budget_.held(Use::kBodies), 60 * kKiB);
  EXPECT_TRUE(one_.Hold(kFree + 100 * kKiB)) << "its own bytes count once";
  EXPECT_EQ(budget_.held(Use::kBodies), 100 * kKiB);
}

TEST_F(Shares, GiveRoomToOthersWhenTheyAreReleased) {
  EXPECT_TRUE(one_.Hold(kFree + 100 * kKiB));
  one_.Release();
  one_.Release();
  EXPECT_EQ(budget_.held(Use::kBodies), 0U);
  EXPECT_TRUE(other_.Hold(kFree + 100 * kKiB));
}

TEST_F(Shares, OfBodiesAndOfAnswersHaveBoundsOfTheirOwn) {
  EXPECT_TRUE(one_.Hold(kFree + 100 * kKiB));
  EXPECT_TRUE(answer_.Hold(kFree + 10 * kKiB));
  EXPECT_FALSE(answer_.Hold(kFree + 10 * kKiB + 1));
  EXPECT_EQ(budget_.held(Use::kBodies), 100 * kKiB);
  EXPECT_EQ(budget_.held(Use::kAnswers), 10 * kKiB);
}

TEST_F(Shares, MayShrinkAboveALimitThatWasLoweredButNotGrow) {
  EXPECT_TRUE(one_.Hold(kFree + 80 * kKiB));
  limits_.max_bodies = 10 * kKiB;
  EXPECT_FALSE(one_.Hold(kFree + 81 * kKiB));
  EXPECT_TRUE(one_.Hold(kFree + 79 * kKiB));
  EXPECT_EQ(budget_.held(Use::kBodies), 79 * kKiB);
}

TEST_F(Shares, HaveAPeakTogetherThatBeginsAgainWithWhatIsHeld) {
  EXPECT_TRUE(one_.Hold(kFree + 50 * kKiB));
  EXPECT_TRUE(answer_.Hold(kFree + 5 * kKiB));
  one_.Release();
  EXPECT_TRUE(other_.Hold(kFree + 20 * kKiB));
  EXPECT_EQ(budget_.TakePeak(), 55 * kKiB);
  EXPECT_EQ(budget_.TakePeak(), 25 * kKiB);
}

}  // namespace
}  // namespace outrigger::http
