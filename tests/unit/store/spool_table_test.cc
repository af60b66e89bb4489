// The table in memory; what has to do with the disk is in tests/component/store_test.cc.
#include "store/spool_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace outrigger::store {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Row RowOf(std::string value) {
  Row row;
  row.event_id = "id-" + value;
  row.source = "/app";
  row.record.topic = "user.events";
  row.record.key = "user-1";
  row.record.value = std::move(value);
  row.record.headers = {{"ce_type", "user.created"}, {"none", std::nullopt}};
  row.record.timestamp_ms = 7;
  return row;
}

class SpoolTableTest : public testing::Test {
 protected:
  int64_t Put(const std::string& value) {
    Row row = RowOf(value);
    EXPECT_TRUE(table_.Begin());
    EXPECT_TRUE(table_.Insert(row));
    EXPECT_TRUE(table_.Commit());
    return row.id;
  }
  void Remove(int64_t id) {
    EXPECT_TRUE(table_.Begin());
    EXPECT_TRUE(table_.Remove(id));
    EXPECT_TRUE(table_.Commit());
  }
  std::vector<std::string> Values(int64_t after, size_t rows = 100, size_t bytes = 1 << 20) {
    std::vector<std::string> values;
    const auto page = table_.Read(after, rows, bytes);
    for (const Row& row : page->rows) values.push_back(*row.record.value);
    return values;
  }

  SpoolTable table_ = std::move(*SpoolTable::Open(":memory:"));
};

TEST_F(SpoolTableTest, ARowComesBackWhole) {
  const int64_t id = Put("a");
  const auto page = table_.Read(0, 10, 1 << 20);
  ASSERT_TRUE(page);
  ASSERT_EQ(page->rows.size(), 1U);
  const Row& row = page->rows.front();
  const Row expected = RowOf("a");
  EXPECT_EQ(row.id, id);
  EXPECT_EQ(row.event_id, expected.event_id);
  EXPECT_EQ(row.source, expected.source);
  EXPECT_EQ(row.record.topic, expected.record.topic);
  EXPECT_EQ(row.record.partition, -1);
  EXPECT_EQ(row.record.timestamp_ms, 7);
  EXPECT_EQ(row.record.key, expected.record.key);
  EXPECT_EQ(row.record.value, expected.record.value);
  EXPECT_EQ(row.record.headers, expected.record.headers);
}

TEST_F(SpoolTableTest, RowsAreReadInTheirOrderAndOnwardsFromTheLast) {
  const int64_t first = Put("a");
  Put("b");
  Put("c");
  EXPECT_THAT(Values(0), ElementsAre("a", "b", "c"));
  EXPECT_THAT(Values(first), ElementsAre("b", "c"));
  EXPECT_THAT(Values(0, 2), ElementsAre("a", "b"));
}

TEST_F(SpoolTableTest, APageEndsWithTheRowThatReachesItsBytes) {
  Put(std::string(1000, 'a'));
  Put(std::string(1000, 'b'));
  Put(std::string(1000, 'c'));
  EXPECT_EQ(Values(0, 100, 3000).size(), 2U);
  EXPECT_EQ(Values(0, 100, 1).size(), 1U) << "one at the least, or nothing would ever leave";
}

TEST_F(SpoolTableTest, ARowThatWasRemovedDoesNotComeAgainAndItsIdIsNotUsedAgain) {
  const int64_t id = Put("a");
  Remove(id);
  Remove(id);
  EXPECT_THAT(Values(0), IsEmpty());
  EXPECT_GT(Put("b"), id);
  EXPECT_EQ(*table_.Count(), 1);
}

TEST_F(SpoolTableTest, NullsAreNotEmptyBytes) {
  Row row = RowOf("");
  row.record.key.reset();
  row.record.value.reset();
  row.record.headers.clear();
  ASSERT_TRUE(table_.Begin());
  ASSERT_TRUE(table_.Insert(row));
  ASSERT_TRUE(table_.Commit());
  Put("");
  const auto page = table_.Read(0, 10, 1 << 20);
  ASSERT_EQ(page->rows.size(), 2U);
  EXPECT_EQ(page->rows[0].record.key, std::nullopt);
  EXPECT_EQ(page->rows[0].record.value, std::nullopt);
  EXPECT_EQ(page->rows[1].record.value, "");
}

}  // namespace
}  // namespace outrigger::store
