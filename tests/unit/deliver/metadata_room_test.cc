#include "deliver/metadata_room.h"

#include <gtest/gtest.h>

#include <array>
#include <random>

namespace outrigger::deliver {
namespace {

constexpr size_t kSubscriptions = 16;

class MetadataRoomTest : public testing::Test {
 protected:
  MetadataRoomTest() {
    for (size_t i = 0; i < kSubscriptions; ++i) {
      all_[i] = PartitionOffsets(Progress{0, {}, {}});
      room_.Add(all_[i]);
    }
  }

  // Every other offset settles, as far as there is room: the most that metadata can hold.
  int64_t SettleHoles(PartitionOffsets& offsets) {
    int64_t settled = 0;
    for (int64_t offset = 1; offset < kMost; offset += 2) {
      if (!room_.MayBegin(offsets, offset)) break;
      offsets.Begin(offset);
      offsets.Settle(offset);
      ++settled;
    }
    return settled;
  }
  void Fetch() {
    for (auto& offsets : all_)
      for (int64_t offset = 0; offset < kMost; ++offset) offsets.Add(offset);
  }
  size_t Size() const {
    std::vector<Section> sections;
    int64_t committed = all_[0].committable();
    for (const auto& offsets : all_) committed = std::min(committed, offsets.committable());
    for (uint32_t id = 0; id < kSubscriptions; ++id) sections.push_back({id, all_[id].progress()});
    return EncodeSections(committed, sections, 1 << 20).size();
  }

  static constexpr int64_t kMost = 40'000;
  std::array<PartitionOffsets, kSubscriptions> all_;
  MetadataRoom room_;
};

TEST_F(MetadataRoomTest, OneThatIsBehindLeavesTheOthersTheirParts) {
  Fetch();
  EXPECT_GT(SettleHoles(all_[0]), 2'000);
  for (size_t i = 1; i < kSubscriptions; ++i) EXPECT_GT(SettleHoles(all_[i]), 100) << i;
  EXPECT_LE(Size(), kMetadataMax);
}

TEST_F(MetadataRoomTest, WhoSettlesInOrderIsNotHeldUp) {
  Fetch();
  SettleHoles(all_[0]);
  for (int64_t offset = 0; offset < kMost; ++offset) {
    ASSERT_TRUE(room_.MayBegin(all_[1], offset));
    all_[1].Begin(offset);
    all_[1].Settle(offset);
  }
  EXPECT_LE(Size(), kMetadataMax);
}

TEST_F(MetadataRoomTest, WhatBeginsNeverOutgrowsTheMetadata) {
  Fetch();
  std::mt19937 random(7);
  for (int step = 0; step < 60'000; ++step) {
    PartitionOffsets& offsets = all_[random() % kSubscriptions];
    const int64_t offset = offsets.committable() + random() % (random() % 2 ? 20 : 3'000);
    if (offset >= kMost || offsets.AlreadySettled(offset) || !room_.MayBegin(offsets, offset))
      continue;
    offsets.Begin(offset);
    if (random() % 3 == 0)
      offsets.SetAttempts(offset, offsets.attempts(offset) + 1);
    else
      offsets.Settle(offset);
    if (step % 500 != 0) continue;
    ASSERT_LE(Size(), kMetadataMax) << step;
  }
  EXPECT_GT(Size(), kMetadataMax / 2) << "it was put to the test";
}

TEST(MetadataRoom, OfOneSubscriptionIsAllItsOwn) {
  PartitionOffsets offsets(Progress{0, {}, {}});
  MetadataRoom room;
  room.Add(offsets);
  for (int64_t offset = 0; offset < 30'000; ++offset) offsets.Add(offset);
  for (int64_t offset = 1; offset < 30'000; offset += 2) {
    ASSERT_EQ(room.MayBegin(offsets, offset), offsets.MayBegin(offset)) << offset;
    if (!offsets.MayBegin(offset)) break;
    offsets.Begin(offset);
    offsets.Settle(offset);
  }
}

}  // namespace
}  // namespace outrigger::deliver
