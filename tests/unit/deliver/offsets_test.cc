#include "deliver/offsets.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace outrigger::deliver {
namespace {

using Added = PartitionOffsets::Added;
using Ranges = std::vector<OffsetRange>;
using Attempts = std::vector<std::pair<int64_t, uint32_t>>;

PartitionOffsets Handed(std::initializer_list<int64_t> handed) {
  PartitionOffsets offsets;
  for (const int64_t offset : handed) EXPECT_EQ(offsets.Add(offset), Added::kNew);
  return offsets;
}

TEST(PartitionOffsets, NothingIsCommittableBeforeTheFirstRecord) {
  PartitionOffsets offsets;
  EXPECT_EQ(offsets.committable(), -1);
  EXPECT_FALSE(offsets.dirty());
  offsets.Settle(3);
  EXPECT_EQ(offsets.committable(), -1);
}

TEST(PartitionOffsets, TheOldestUnsettledHoldsTheCommit) {
  auto offsets = Handed({10, 11, 12});
  EXPECT_EQ(offsets.committable(), 10);
  offsets.Settle(11);
  offsets.Settle(12);
  EXPECT_EQ(offsets.committable(), 10);
  EXPECT_EQ(offsets.progress().settled, (Ranges{{11, 13}}));
  offsets.Settle(10);
  EXPECT_EQ(offsets.committable(), 13);
  EXPECT_TRUE(offsets.progress().settled.empty());
}

TEST(PartitionOffsets, OffsetsThatCompactionTookAwayHoldNothing) {
  auto offsets = Handed({10, 15, 20});
  offsets.Settle(10);
  EXPECT_EQ(offsets.committable(), 15);
  offsets.Settle(20);
  EXPECT_EQ(offsets.progress().settled, (Ranges{{16, 21}}));
  EXPECT_TRUE(offsets.AlreadySettled(17));
}

TEST(PartitionOffsets, WhatDoesNotExistAtTheEndIsCommittedWhenAllBeforeItHasSettled) {
  auto offsets = Handed({10, 11});
  offsets.PassTo(15);  // a transaction's marker, aborted records, what compaction took
  EXPECT_EQ(offsets.committable(), 10);
  offsets.Settle(11);
  EXPECT_EQ(offsets.committable(), 10);
  EXPECT_EQ(offsets.progress().settled, (Ranges{{11, 15}}));
  offsets.Settle(10);
  EXPECT_EQ(offsets.committable(), 15);
  EXPECT_EQ(offsets.Add(15), Added::kNew);
}

TEST(PartitionOffsets, PassingOverNothingElseIsThereToCommit) {
  PartitionOffsets offsets(Progress{10, {}, {}});
  offsets.PassTo(10);
  EXPECT_FALSE(offsets.dirty());
  offsets.PassTo(14);
  EXPECT_TRUE(offsets.dirty());
  EXPECT_EQ(offsets.progress(), (Progress{14, {}, {}}));
  offsets.Committed(offsets.version());
  offsets.PassTo(12);
  EXPECT_FALSE(offsets.dirty());
  EXPECT_EQ(offsets.committable(), 14);
}

TEST(PartitionOffsets, AnEmptyPartitionIsCommittedAtItsEnd) {
  PartitionOffsets offsets;
  offsets.PassTo(3);
  EXPECT_TRUE(offsets.dirty());
  EXPECT_EQ(offsets.committable(), 3);
  EXPECT_EQ(offsets.Add(2), Added::kBefore);
  EXPECT_EQ(offsets.Add(3), Added::kNew);
}

TEST(PartitionOffsets, WhatWasSettledAboveTheCommitIsSkippedAfterARestart) {
  PartitionOffsets offsets(Progress{10, {{12, 14}, {15, 16}}, {}});
  EXPECT_EQ(offsets.Add(10), Added::kNew);
  EXPECT_EQ(offsets.Add(11), Added::kNew);
  EXPECT_TRUE(offsets.AlreadySettled(12));
  EXPECT_EQ(offsets.Add(12), Added::kSettled);
  EXPECT_EQ(offsets.Add(13), Added::kSettled);
  EXPECT_EQ(offsets.Add(14), Added::kNew);
  EXPECT_EQ(offsets.Add(15), Added::kSettled);
  EXPECT_EQ(offsets.Add(16), Added::kNew);
  EXPECT_EQ(offsets.unsettled(), 4U);
}

TEST(PartitionOffsets, WhatWasRestoredIsCommittedAgainBeforeItIsFetched) {
  PartitionOffsets offsets(Progress{10, {{12, 14}, {15, 16}}, {{14, 2}}});
  ASSERT_EQ(offsets.Add(10), Added::kNew);
  offsets.Settle(10);
  EXPECT_EQ(offsets.progress(), (Progress{11, {{12, 14}, {15, 16}}, {{14, 2}}}));
  ASSERT_EQ(offsets.Add(11), Added::kNew);
  EXPECT_EQ(offsets.progress(), (Progress{11, {{12, 14}, {15, 16}}, {{14, 2}}}));
  offsets.Settle(11);
  EXPECT_EQ(offsets.progress(), (Progress{14, {{15, 16}}, {{14, 2}}}));
}

TEST(PartitionOffsets, AttemptsOfUnsettledRecordsSurviveARestart) {
  auto before = Handed({10, 11, 12});
  before.SetAttempts(11, 3);
  before.SetAttempts(12, 1);
  before.Settle(12);
  EXPECT_EQ(before.progress().attempts, (Attempts{{11, 3}}));
  PartitionOffsets after(before.progress());
  EXPECT_EQ(after.attempts(11), 3U);
  after.Add(10);
  after.Add(11);
  EXPECT_EQ(after.attempts(11), 3U);
  EXPECT_EQ(after.attempts(10), 0U);
  after.SetAttempts(11, 0);
  EXPECT_TRUE(after.progress().attempts.empty());
}

TEST(PartitionOffsets, AttemptsOfARecordThatCompactionTookAreForgotten) {
  PartitionOffsets offsets(Progress{10, {}, {{10, 4}, {11, 1}}});
  offsets.Add(11);
  EXPECT_EQ(offsets.progress(), (Progress{11, {}, {{11, 1}}}));
}

TEST(PartitionOffsets, ARecordFetchedAgainIsNotHandedOutTwice) {
  auto offsets = Handed({10, 11});
  offsets.Settle(11);
  EXPECT_EQ(offsets.Add(10), Added::kKnown);
  EXPECT_EQ(offsets.Add(11), Added::kSettled);
  EXPECT_EQ(offsets.Add(12), Added::kNew);
}

TEST(PartitionOffsets, ATopicThatBeganAnewIsNotTakenForSettled) {
  PartitionOffsets offsets(Progress{100, {}, {}});
  EXPECT_EQ(offsets.Add(0), Added::kBefore);
  EXPECT_EQ(offsets.committable(), 100);
}

TEST(PartitionOffsets, SettlingTwiceOrTheUnknownChangesNothing) {
  auto offsets = Handed({10, 11});
  offsets.Settle(11);
  const uint64_t version = offsets.version();
  offsets.Settle(11);
  offsets.Settle(99);
  offsets.SetAttempts(11, 2);
  EXPECT_EQ(offsets.version(), version);
}

TEST(PartitionOffsets, WhatChangesWhileACommitIsUnderWayStaysDirty) {
  auto offsets = Handed({10, 11});
  EXPECT_FALSE(offsets.dirty());
  offsets.Settle(10);
  EXPECT_TRUE(offsets.dirty());
  const uint64_t taken = offsets.version();
  offsets.SetAttempts(11, 1);
  offsets.Committed(taken);
  EXPECT_TRUE(offsets.dirty());
  offsets.Committed(offsets.version());
  EXPECT_FALSE(offsets.dirty());
}

TEST(PartitionOffsets, WhatIsSkippedTakesNoRoomInTheMetadata) {
  auto offsets = Handed({10, 11, 12, 13, 14});
  offsets.Settle(12);
  const uint64_t version = offsets.version();
  offsets.Skip(14);
  offsets.Skip(11);
  EXPECT_EQ(offsets.version(), version) << "nothing to commit";
  EXPECT_EQ(offsets.progress(), (Progress{10, {{12, 13}}, {}}));
  offsets.Settle(13);
  EXPECT_EQ(offsets.progress(), (Progress{10, {{11, 15}}, {}}));
  offsets.Skip(10);
  EXPECT_EQ(offsets.progress(), (Progress{15, {}, {}}));
  EXPECT_NE(offsets.version(), version);
}

TEST(PartitionOffsets, AttemptsFarAheadDoNotTurnTheHolesOfCompactionIntoRuns) {
  PartitionOffsets offsets;
  for (int64_t offset = 0; offset < 20'000; offset += 1 + offset % 7) offsets.Add(offset);
  offsets.Begin(19'999);
  offsets.SetAttempts(19'996, 1);
  EXPECT_LT(EncodeMetadata(offsets.progress()).size(), 32U);
}

TEST(PartitionOffsets, TheOldestUnsettledAndWhatWasTriedMayAlwaysBegin) {
  auto offsets = Handed({10, 11, 12, 13});
  EXPECT_TRUE(offsets.MayBegin(10, 0));
  EXPECT_FALSE(offsets.MayBegin(11, 0));
  offsets.Begin(11);
  offsets.SetAttempts(12, 1);
  EXPECT_TRUE(offsets.MayBegin(11, 0)) << "it was not attempted and goes again";
  EXPECT_TRUE(offsets.MayBegin(12, 0)) << "a retry";
  EXPECT_FALSE(offsets.MayBegin(13, 0));
  for (const int64_t offset : {10, 11, 12}) offsets.Settle(offset);
  EXPECT_TRUE(offsets.MayBegin(13, 0));
}

TEST(PartitionOffsets, OneKeyOfSevenThatFailsStopsTheOthersBeforeTheMetadataIsFull) {
  PartitionOffsets offsets;
  for (int64_t offset = 0; offset < 60'000; ++offset) offsets.Add(offset);
  int64_t settled = 0;
  for (int64_t offset = 0; offset < 60'000; ++offset) {
    if (offset % 7 == 0 || !offsets.MayBegin(offset)) continue;
    offsets.Begin(offset);
    offsets.Settle(offset);
    ++settled;
  }
  EXPECT_GT(settled, 18'000);
  EXPECT_LE(EncodeMetadata(offsets.progress()).size(), kMetadataMax);
  EXPECT_FALSE(offsets.MayBegin(40'001));
  // The failing key goes on, one after the other, and makes room.
  for (int64_t offset = 0; offset < 35'000; offset += 7) {
    ASSERT_TRUE(offsets.MayBegin(offset));
    offsets.Begin(offset);
    offsets.Settle(offset);
  }
  EXPECT_TRUE(offsets.MayBegin(40'001));
}

// Whatever is dispatched while MayBegin allows it and whatever comes of it, the metadata fits.
TEST(PartitionOffsets, RandomDispatchNeverOutgrowsTheMetadata) {
  for (uint32_t seed = 0; seed < 60; ++seed) {
    std::mt19937 random(seed);
    const size_t limit = 100 + random() % 1000;
    const uint32_t holes = 1 + random() % 30, fails = random() % 100, skips = random() % 50;
    PartitionOffsets offsets;
    int64_t next = random() % 1000;
    std::vector<int64_t> waiting, flying, failed;
    const auto take = [&random](std::vector<int64_t>& from) {
      std::swap(from[random() % from.size()], from.back());
      const int64_t offset = from.back();
      from.pop_back();
      return offset;
    };
    for (int step = 0; step < 8000; ++step) {
      if (waiting.size() < 3000 && random() % 2) {
        next += 1 + (random() % 4 == 0 ? random() % holes : 0);
        ASSERT_EQ(offsets.Add(next), Added::kNew);
        if (random() % 100 < skips)
          offsets.Skip(next);
        else
          waiting.push_back(next);
      }
      if (!waiting.empty()) {
        const int64_t offset = random() % 3 ? take(waiting) : waiting.front();
        std::erase(waiting, offset);
        const bool may = offsets.MayBegin(offset, limit);
        if (may) offsets.Begin(offset);
        (may ? flying : waiting).push_back(offset);
      }
      if (!failed.empty() && random() % 3 == 0) flying.push_back(take(failed));
      if (!flying.empty() && random() % 2) {
        const int64_t offset = take(flying);
        if (random() % 100 < fails) {
          offsets.SetAttempts(offset, random() % 8 ? offsets.attempts(offset) + 1 : 0);
          failed.push_back(offset);
        } else {
          offsets.Settle(offset);
        }
      }
      if (step % 50 == 0) {
        const size_t size = EncodeMetadata(offsets.progress()).size();
        ASSERT_LE(size, limit + 16) << "seed " << seed << ", step " << step;
      }
    }
  }
}

// Random histories with a restart at every commit, against the plain set of what was settled.
TEST(PartitionOffsets, NeitherLosesNorForgetsOverRandomRestarts) {
  for (uint32_t seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    std::set<int64_t> exist, settled;
    for (int64_t offset = 0; offset < 120; ++offset)
      if (random() % 4) exist.insert(offset);
    PartitionOffsets offsets;
    auto fetch = exist.begin();
    for (int step = 0; step < 600; ++step) {
      if (random() % 2 && fetch != exist.end()) {
        const Added added = offsets.Add(*fetch);
        ASSERT_EQ(added, settled.contains(*fetch) ? Added::kSettled : Added::kNew);
        ++fetch;
      } else if (fetch != exist.begin()) {
        auto one = exist.begin();
        std::advance(one, random() % static_cast<size_t>(std::distance(exist.begin(), fetch)));
        if (random() % 4) {
          offsets.Settle(*one);
          settled.insert(*one);
        } else {
          offsets.SetAttempts(*one, random() % 3);
        }
      }
      if (random() % 5 == 0) offsets.PassTo(fetch == exist.end() ? 120 : *fetch);
      const int64_t committable = offsets.committable();
      for (const int64_t offset : exist) {
        if (offset >= committable) break;
        ASSERT_TRUE(settled.contains(offset)) << "lost " << offset << ", seed " << seed;
      }
      if (random() % 20 || committable < 0) continue;
      const auto decoded = DecodeMetadata(EncodeMetadata(offsets.progress()), committable);
      ASSERT_TRUE(decoded.has_value());
      ASSERT_EQ(*decoded, offsets.progress());
      offsets = PartitionOffsets(*decoded);
      fetch = exist.lower_bound(committable);
    }
  }
}

}  // namespace
}  // namespace outrigger::deliver
