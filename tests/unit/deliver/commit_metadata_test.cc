#include "deliver/commit_metadata.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>

namespace outrigger::deliver {
namespace {

Progress Random(std::mt19937& random) {
  Progress progress{static_cast<int64_t>(random()) << (random() % 24), {}, {}};
  const uint32_t spread = 1 + random() % 40;
  int64_t at = progress.committed;
  for (size_t left = random() % 60; left > 0; --left) {
    const int64_t begin = at + 1 + random() % spread;
    at = begin + 1 + random() % spread;
    progress.settled.push_back({begin, at});
  }
  at = progress.committed;
  for (size_t left = random() % 20; left > 0; --left) {
    progress.attempts.emplace_back(at, 1 + random() % 9);
    at += 1 + random() % spread;
  }
  if (random() % 2 == 0 && !progress.attempts.empty()) {
    for (size_t i = 0; i < progress.attempts.size(); ++i)
      progress.first_tries.push_back(random() % 4 == 0 ? 0 : 17'954'640'000 + random() % 36'000);
    progress.first_tries.front() = 17'954'640'000;
  }
  return progress;
}

TEST(CommitMetadata, RandomProgressComesBackAsItWas) {
  std::mt19937 random(1);
  for (int i = 0; i < 5000; ++i) {
    const Progress progress = Random(random);
    const auto decoded = DecodeMetadata(EncodeMetadata(progress), progress.committed);
    ASSERT_TRUE(decoded.has_value());
    ASSERT_EQ(*decoded, progress);
  }
}

TEST(CommitMetadata, DamagedTextIsIgnored) {
  std::mt19937 random(2);
  for (int i = 0; i < 5000; ++i) {
    const Progress progress = Random(random);
    const std::string text = EncodeMetadata(progress);
    std::string damaged = text;
    for (size_t changes = 1 + random() % 3; changes > 0 && !damaged.empty(); --changes) {
      const size_t at = random() % damaged.size();
      if (const auto kind = random() % 3; kind == 0) {
        damaged[at] = static_cast<char>(random());
      } else if (kind == 1) {
        damaged.erase(at, 1 + random() % 8);
      } else {
        damaged.insert(at, 1, static_cast<char>('A' + random() % 26));
      }
    }
    if (damaged == text || damaged.empty()) continue;
    EXPECT_EQ(DecodeMetadata(damaged, progress.committed), std::nullopt) << damaged;
  }
}

TEST(CommitMetadata, MetadataOfAnotherOffsetIsIgnored) {
  const std::string text = EncodeMetadata({10, {{12, 14}}, {}});
  EXPECT_TRUE(DecodeMetadata(text, 10).has_value());
  EXPECT_EQ(DecodeMetadata(text, 11), std::nullopt);
  EXPECT_EQ(DecodeMetadata(text, -1), std::nullopt);
  EXPECT_EQ(DecodeMetadata(text, std::numeric_limits<int64_t>::max()), std::nullopt);
}

TEST(CommitMetadata, ForeignMetadataIsIgnored) {
  for (const char* text : {" ", "or1", "or1:", "or2:AAAA", "or1:AAAAAAAA", "OR1:AAAA", "{}",
                           "bAAAAAA==", "or1:====", "or1:AAAA+A/A", "or1:\xFF\xFE"})
    EXPECT_EQ(DecodeMetadata(text, 10), std::nullopt) << text;
}

TEST(CommitMetadata, NothingToCarryIsTheEmptyText) {
  EXPECT_EQ(EncodeMetadata({10, {}, {}}), "");
  EXPECT_EQ(DecodeMetadata("", 10), (Progress{10, {}, {}}));
}

TEST(CommitMetadata, FirstTriesTakeAPrefixOfTheirOwnAndOnlyWhereTheyAreKnown) {
  const Progress known{100, {}, {{100, 2}, {105, 1}}, {17'954'640'000, 0}};
  EXPECT_TRUE(EncodeMetadata(known).starts_with("or2:"));
  EXPECT_EQ(DecodeMetadata(EncodeMetadata(known), 100), known);
  const Progress none{100, {}, {{100, 2}, {105, 1}}, {0, 0}};
  EXPECT_EQ(EncodeMetadata(none), EncodeMetadata({100, {}, {{100, 2}, {105, 1}}}));
}

TEST(CommitMetadata, FirstTriesGoBeforeTheyCouldPauseAPartition) {
  Progress progress{100, {}, {}};
  for (int64_t n = 0; n < 400; ++n) {
    progress.attempts.emplace_back(100 + 2 * n, 1);
    progress.first_tries.push_back(17'954'640'000 + 40'000 * n);
  }
  ASSERT_FALSE(FitsMetadata(EncodeMetadata(progress).size()));
  const std::string text = EncodeWithin(progress);
  EXPECT_TRUE(FitsMetadata(text.size())) << text.size();
  progress.first_tries.clear();
  EXPECT_EQ(DecodeMetadata(text, 100), progress);
}

std::vector<Section> RandomGroup(std::mt19937& random, int64_t& committed) {
  std::vector<Section> sections;
  for (uint32_t left = 1 + random() % 5; left > 0; --left) {
    sections.push_back({static_cast<uint32_t>(random()), Random(random)});
    Progress& progress = sections.back().progress;
    const int64_t moved = committed + (random() % 2 ? random() % 100'000 : 0) - progress.committed;
    progress.committed += moved;
    for (auto& range : progress.settled) range.begin += moved, range.end += moved;
    for (auto& [offset, attempts] : progress.attempts) offset += moved;
    if (std::all_of(progress.first_tries.begin(), progress.first_tries.end(),
                    [](int64_t time) { return time == 0; }))
      progress.first_tries.clear();
  }
  return sections;
}

TEST(CommitMetadata, RandomProgressOfAGroupComesBackAsItWas) {
  std::mt19937 random(3);
  for (int i = 0; i < 5000; ++i) {
    int64_t committed = static_cast<int64_t>(random()) << (random() % 24);
    const auto sections = RandomGroup(random, committed);
    const std::string text = EncodeSections(committed, sections, 1 << 20);
    if (text.empty()) continue;
    const auto decoded = DecodeSections(text, committed);
    ASSERT_TRUE(decoded.has_value());
    ASSERT_EQ(*decoded, sections);
    EXPECT_EQ(DecodeMetadata(text, committed), std::nullopt) << "it does not say whose it is";
    EXPECT_EQ(DecodeSections(text, committed + 1), std::nullopt);
    std::string damaged = text;
    damaged[4 + random() % (damaged.size() - 4)] ^= 1;
    EXPECT_NE(DecodeSections(damaged, committed), sections);
  }
}

TEST(CommitMetadata, AGroupWhoseSubscriptionsAreAllAtOneOffsetWritesNothing) {
  EXPECT_EQ(EncodeSections(10, {{1, {10, {}, {}}}, {2, {10, {}, {}}}}), "");
  EXPECT_NE(EncodeSections(10, {{1, {10, {}, {}}}, {2, {11, {}, {}}}}), "");
  EXPECT_EQ(DecodeSections("", 10), std::nullopt);
  EXPECT_EQ(DecodeSections(EncodeMetadata({10, {{12, 14}}, {}}), 10), std::nullopt);
}

TEST(CommitMetadata, AHealthySubscriptionTakesAFewBytesOfItsGroup) {
  std::vector<Section> sections = {{0, {100, {}, {{100, 3}}}}};
  for (uint32_t id = 1; id < 16; ++id) sections.push_back({id, {2'000'000, {}, {}}});
  EXPECT_LT(EncodeSections(100, sections).size(), 15 * 14);
}

TEST(CommitMetadata, OfAGroupTheLongestSectionIsCutFirst) {
  std::vector<Section> sections = {{1, {1, {}, {}}}, {2, {500, {{502, 503}}, {{500, 2}}}}};
  for (int64_t offset = 0; offset < 3000; ++offset)
    sections[0].progress.settled.push_back({offset * 1000 + 2, offset * 1000 + 3});
  const std::string text = EncodeSections(1, sections);
  EXPECT_LE(text.size(), kMetadataMax);
  const auto kept = DecodeSections(text, 1);
  ASSERT_TRUE(kept);
  ASSERT_EQ(kept->size(), 2U);
  EXPECT_EQ((*kept)[1], sections[1]);
  EXPECT_GT((*kept)[0].progress.settled.size(), 300U);
  EXPECT_EQ(EncodeSections(1, sections, 10), "");
}

// Written once and committed to: a later version has to read it.
TEST(CommitMetadata, TheFormatStaysAsItIs) {
  EXPECT_EQ(EncodeMetadata({100, {{101, 103}, {110, 200}}, {{100, 2}, {105, 1}}}),
            "or1:AQIBAgdaAgACBQFEr8b7");
  EXPECT_EQ(EncodeMetadata({100, {{101, 102}, {103, 104}, {105, 106}, {107, 108}}, {}}),
            "or1:AgFVAH1k_F0");
  EXPECT_EQ(EncodeSections(100, {{SubscriptionId("a"), {100, {{101, 103}}, {{100, 2}}}},
                                 {SubscriptionId("b"), {103, {}, {{103, 1}}, {17'954'640'000}}}}),
            "or3:AkO-t-gAAgEDAQACAPnvvnEDAAEAAYChuPFCAcdcbkM");
}

TEST(CommitMetadata, EveryOtherOffsetOfTenThousandFits) {
  Progress progress{1, {}, {}};
  for (int64_t offset = 2; offset < 10000; offset += 2)
    progress.settled.push_back({offset, offset + 1});
  EXPECT_TRUE(FitsMetadata(EncodeMetadata(progress).size()));
}

TEST(CommitMetadata, AMillionSettledInARowAreAFewBytes) {
  EXPECT_LT(EncodeMetadata({1, {{2, 1000002}}, {}}).size(), 24U);
}

TEST(CommitMetadata, WhatABrokerWouldRefuseIsCutFromTheTopAndAttemptsGoLast) {
  Progress progress{1, {}, {}};
  for (int64_t offset = 0; offset < 3000; ++offset) {
    progress.settled.push_back({offset * 1000 + 2, offset * 1000 + 3});
    if (offset < 500) progress.attempts.push_back({offset * 1000 + 4, 2});
  }
  ASSERT_GT(EncodeMetadata(progress).size(), kMetadataMax);
  const std::string text = EncodeWithin(progress);
  EXPECT_LE(text.size(), kMetadataMax);
  const auto kept = DecodeMetadata(text, 1);
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->attempts, progress.attempts);
  ASSERT_FALSE(kept->settled.empty());
  EXPECT_TRUE(std::equal(kept->settled.begin(), kept->settled.end(), progress.settled.begin()));
  EXPECT_LT(EncodeWithin(progress, 100).size(), 101U);
  EXPECT_EQ(EncodeWithin(progress, 0), "");
}

TEST(CommitMetadata, FetchingPausesAtThreeQuartersOfWhatABrokerTakes) {
  EXPECT_TRUE(FitsMetadata(3024));
  EXPECT_FALSE(FitsMetadata(3025));
  EXPECT_TRUE(FitsMetadata(100, 100));
}

}  // namespace
}  // namespace outrigger::deliver
