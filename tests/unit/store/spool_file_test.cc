// The tables in memory; what has to do with the disk is in tests/component/store_test.cc.
#include "store/spool_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace outrigger::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Kind = Placed::Kind;

Row RowOf(std::string value) {
  Row row;
  row.event_id = "id-" + value;
  row.source = "/app";
  row.fingerprint = 5;
  row.record.topic = "user.events";
  row.record.key = "user-1";
  row.record.value = std::move(value);
  row.record.headers = {{"ce_type", "user.created"}, {"none", std::nullopt}};
  row.record.timestamp_ms = 7;
  row.dead_letter = "dlq.topic";
  row.accepted_ms = 1000;
  return row;
}

void ExpectColumns(const Row& row, const Row& expected) {
  EXPECT_EQ(row.event_id, expected.event_id);
  EXPECT_EQ(row.source, expected.source);
  EXPECT_EQ(row.target, expected.target);
  EXPECT_EQ(row.fingerprint, expected.fingerprint);
  EXPECT_EQ(row.record.topic, expected.record.topic);
  EXPECT_EQ(row.record.partition, -1);
  EXPECT_EQ(row.record.timestamp_ms, 7);
  EXPECT_EQ(row.record.key, expected.record.key);
  EXPECT_EQ(row.record.value, expected.record.value);
  EXPECT_EQ(row.record.headers, expected.record.headers);
  EXPECT_EQ(row.dead_letter, expected.dead_letter);
  EXPECT_EQ(row.accepted_ms, expected.accepted_ms);
}

class SpoolFileTest : public testing::Test {
 protected:
  Placed Put(Row row) {
    EXPECT_TRUE(file_.Begin(UINT64_MAX));
    const auto placed = file_.spool().Put(row);
    EXPECT_TRUE(placed);
    EXPECT_TRUE(file_.Commit());
    return placed.value_or(Placed{});
  }
  int64_t Put(const std::string& value) { return Put(RowOf(value)).id; }
  void Remove(int64_t id) {
    EXPECT_TRUE(file_.Begin(UINT64_MAX));
    EXPECT_TRUE(file_.spool().Remove(id));
    EXPECT_TRUE(file_.Commit());
  }
  bool Quarantine(int64_t id) {
    EXPECT_TRUE(file_.Begin(UINT64_MAX));
    const auto moved = file_.Quarantine(id, "rejected", "the broker says no", 99);
    EXPECT_TRUE(moved);
    EXPECT_TRUE(file_.Commit());
    return moved.value_or(false);
  }
  int64_t Requeue(int64_t id) {
    EXPECT_TRUE(file_.Begin(UINT64_MAX));
    const auto now = file_.Requeue(id);
    EXPECT_TRUE(now);
    EXPECT_TRUE(file_.Commit());
    return now && *now ? (*now)->id : 0;
  }
  std::vector<std::string> Values(int64_t after = 0, size_t rows = 100, size_t bytes = 1 << 20) {
    std::vector<std::string> values;
    const auto page = file_.spool().Read(after, rows, bytes);
    for (const Row& row : page->rows) values.push_back(*row.record.value);
    return values;
  }
  std::vector<int64_t> Quarantined() {
    std::vector<int64_t> ids;
    const auto rows = file_.quarantine().List(0, 100, 1 << 20);
    for (const QuarantinedRow& row : *rows) ids.push_back(row.row.id);
    return ids;
  }

  SpoolFile file_ = std::move(*SpoolFile::Open(":memory:"));
};

TEST_F(SpoolFileTest, ARowComesBackWhole) {
  const int64_t id = Put("a");
  const auto page = file_.spool().Read(0, 10, 1 << 20);
  ASSERT_TRUE(page);
  ASSERT_EQ(page->rows.size(), 1U);
  EXPECT_EQ(page->rows.front().id, id);
  ExpectColumns(page->rows.front(), RowOf("a"));
}

TEST_F(SpoolFileTest, RowsAreReadInTheirOrderAndOnwardsFromTheLast) {
  const int64_t first = Put("a");
  Put("b");
  Put("c");
  EXPECT_THAT(Values(), ElementsAre("a", "b", "c"));
  EXPECT_THAT(Values(first), ElementsAre("b", "c"));
  EXPECT_THAT(Values(0, 2), ElementsAre("a", "b"));
}

TEST_F(SpoolFileTest, APageEndsWithTheRowThatReachesItsBytes) {
  Put(std::string(1000, 'a'));
  Put(std::string(1000, 'b'));
  Put(std::string(1000, 'c'));
  EXPECT_EQ(Values(0, 100, 3000).size(), 2U);
  EXPECT_EQ(Values(0, 100, 1).size(), 1U) << "one at the least, or nothing would ever leave";
}

TEST_F(SpoolFileTest, ARowThatWasRemovedDoesNotComeAgainAndItsIdIsNotUsedAgain) {
  const int64_t id = Put("a");
  Remove(id);
  Remove(id);
  EXPECT_THAT(Values(), IsEmpty());
  EXPECT_GT(Put("b"), id);
}

TEST_F(SpoolFileTest, NullsAreNotEmptyBytes) {
  Row row = RowOf("null");
  row.record.key.reset();
  row.record.value.reset();
  row.record.headers.clear();
  Put(row);
  Put("");
  const auto page = file_.spool().Read(0, 10, 1 << 20);
  ASSERT_EQ(page->rows.size(), 2U);
  EXPECT_EQ(page->rows[0].record.key, std::nullopt);
  EXPECT_EQ(page->rows[0].record.value, std::nullopt);
  EXPECT_EQ(page->rows[1].record.value, "");
}

// ---- the same event again

TEST_F(SpoolFileTest, AnEventThatIsThereIsARepeatAndIsNotPutAgain) {
  const int64_t id = Put("a");
  EXPECT_EQ(Put(RowOf("a")), (Placed{id, Kind::kRepeat}));
  EXPECT_THAT(Values(), ElementsAre("a"));
}

TEST_F(SpoolFileTest, WhatSaysSomethingElseUnderAKnownIdIsAConflict) {
  const int64_t id = Put("a");
  Row other = RowOf("a");
  other.fingerprint = 6;
  EXPECT_EQ(Put(other), (Placed{id, Kind::kConflict}));
  EXPECT_THAT(Values(), ElementsAre("a"));
  other.fingerprint = 0;
  EXPECT_EQ(Put(other), (Placed{id, Kind::kRepeat})) << "what it says is not known";
}

TEST_F(SpoolFileTest, AnotherSourceOrTargetIsAnotherRow) {
  Put("a");
  Row other = RowOf("a");
  other.source = "/other";
  EXPECT_EQ(Put(other).kind, Kind::kNew);
  other.source = "/app";
  other.target = 1;
  EXPECT_EQ(Put(other).kind, Kind::kNew);
}

TEST_F(SpoolFileTest, AnIdThatNobodyChoseIsNotLookedFor) {
  Row row = RowOf("a");
  row.source.clear();
  EXPECT_EQ(Put(row).kind, Kind::kNew);
  EXPECT_EQ(Put(row).kind, Kind::kNew);
}

TEST_F(SpoolFileTest, AnEventThatHasLeftIsNewAgain) {
  Remove(Put("a"));
  EXPECT_EQ(Put(RowOf("a")).kind, Kind::kNew);
}

TEST_F(SpoolFileTest, AnEventIsFoundByItsIdInEveryTarget) {
  Put("a");
  Row second = RowOf("a");
  second.target = 1;
  Put(second);
  Put("b");
  EXPECT_EQ(file_.spool().Find("id-a")->size(), 2U);
  EXPECT_THAT(*file_.spool().Find("id-c"), IsEmpty());
}

// ---- quarantine

TEST_F(SpoolFileTest, AQuarantinedRowLeavesTheSpoolAndKeepsItsColumns) {
  const int64_t id = Put("a");
  EXPECT_TRUE(Quarantine(id));
  EXPECT_THAT(Values(), IsEmpty());
  const auto rows = file_.quarantine().Find("id-a");
  ASSERT_EQ(rows->size(), 1U);
  const QuarantinedRow& row = rows->front();
  EXPECT_EQ(row.row.id, id);
  EXPECT_FALSE(row.damaged);
  ExpectColumns(row.row, RowOf("a"));
  EXPECT_EQ(row.reason, "rejected");
  EXPECT_EQ(row.detail, "the broker says no");
  EXPECT_EQ(row.quarantined_ms, 99);
  EXPECT_FALSE(Quarantine(id)) << "it is no longer in the spool";
}

TEST_F(SpoolFileTest, ARequeuedRowGoesToTheEndOfTheSpool) {
  const int64_t id = Put("a");
  Quarantine(id);
  const int64_t other = Put("b");
  EXPECT_GT(Requeue(id), other);
  EXPECT_THAT(Values(), ElementsAre("b", "a"));
  EXPECT_THAT(Quarantined(), IsEmpty());
  EXPECT_EQ(Requeue(id), 0) << "it is not there any more";
}

TEST_F(SpoolFileTest, ARowIsDroppedFromWhereItIs) {
  const int64_t waiting = Put("a");
  const int64_t quarantined = Put("b");
  Quarantine(quarantined);
  EXPECT_TRUE(file_.Begin(UINT64_MAX));
  EXPECT_FALSE(*file_.Drop(quarantined));
  EXPECT_FALSE(*file_.DropQuarantined(waiting));
  ExpectColumns(**file_.Drop(waiting), RowOf("a"));
  ExpectColumns(**file_.DropQuarantined(quarantined), RowOf("b"));
  EXPECT_TRUE(file_.Commit());
  EXPECT_THAT(Values(), IsEmpty());
  EXPECT_THAT(Quarantined(), IsEmpty());
  EXPECT_EQ(file_.Count()->bytes, 0U);
}

TEST_F(SpoolFileTest, TheQuarantineIsListedOnwardsFromARow) {
  const int64_t a = Put("a");
  const int64_t b = Put("b");
  Quarantine(b);
  Quarantine(a);
  EXPECT_THAT(Quarantined(), ElementsAre(a, b));
  EXPECT_EQ(file_.quarantine().List(a, 100, 1 << 20)->front().row.id, b);
  EXPECT_EQ(file_.quarantine().List(0, 100, 1)->size(), 1U) << "no more once it has the bytes";
  EXPECT_TRUE(*file_.quarantine().Remove(a));
  EXPECT_FALSE(*file_.quarantine().Remove(a));
  EXPECT_THAT(Quarantined(), ElementsAre(b));
}

// ---- contents

TEST_F(SpoolFileTest, TheContentsAreThoseOfTheRows) {
  const size_t bytes = RowOf("a").bytes();
  Put("a");
  const int64_t removed = Put("b");
  Row other = RowOf("c");
  other.record.topic = "audit";
  Put(other);
  const int64_t quarantined = Put("d");
  Remove(removed);
  Remove(removed);
  Quarantine(quarantined);
  const Contents contents = *file_.Count();
  ASSERT_EQ(contents.topics.size(), 2U);
  EXPECT_EQ(contents.topics.at("user.events").records, 1U);
  EXPECT_EQ(contents.topics.at("user.events").bytes, bytes);
  EXPECT_EQ(contents.topics.at("audit").records, 1U);
  EXPECT_EQ(contents.records, 2U);
  EXPECT_EQ(contents.bytes, bytes + other.bytes());
  EXPECT_EQ(contents.last_id, quarantined);
  EXPECT_EQ(contents.oldest_ms, 1000);
  EXPECT_EQ(contents.quarantined, 1U);
}

TEST_F(SpoolFileTest, AnEmptyFileHasNothing) {
  Remove(Put("a"));
  const Contents contents = *file_.Count();
  EXPECT_TRUE(contents.topics.empty());
  EXPECT_EQ(contents.records, 0U);
  EXPECT_EQ(contents.oldest_ms, 0);
}

}  // namespace
}  // namespace outrigger::store
