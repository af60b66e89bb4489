#include "publish/sent_before.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <string>

namespace outrigger::publish {
namespace {

store::Row RowOf(const std::string& id, std::optional<std::string> key) {
  store::Row row;
  row.event_id = id;
  row.record.topic = "t";
  row.record.key = std::move(key);
  row.record.value = "{}";
  row.record.headers = {{"ce_source", "s"}, {"ce_id", id}};
  return row;
}

std::vector<kafka::TailRecord> TailOf(const std::vector<store::Row>& rows) {
  std::vector<kafka::TailRecord> tail;
  for (const auto& row : rows)
    tail.push_back({event::DigestOf(row.record), {0, static_cast<int64_t>(tail.size())}});
  return tail;
}

TEST(SentBefore, WithoutARecordOfKafkaEveryRowIsSent) {
  EXPECT_FALSE(SentBefore().Take(RowOf("1", "k")));
  EXPECT_FALSE(SentBefore(TailOf({})).Take(RowOf("1", "k")));
}

TEST(SentBefore, ARowThatKafkaHasIsKnownWithItsPlace) {
  SentBefore before(TailOf({RowOf("0", "k"), RowOf("1", "k")}));
  const auto where = before.Take(RowOf("1", "k"));
  ASSERT_TRUE(where);
  EXPECT_EQ(where->offset, 1);
}

TEST(SentBefore, ARecordStandsForOneRow) {
  SentBefore before(TailOf({RowOf("1", std::nullopt)}));
  EXPECT_TRUE(before.Take(RowOf("1", std::nullopt)));
  EXPECT_FALSE(before.Take(RowOf("1", std::nullopt)));
}

TEST(SentBefore, OtherBytesAreAnotherRecord) {
  SentBefore before(TailOf({RowOf("1", std::nullopt)}));
  store::Row row = RowOf("1", std::nullopt);
  row.record.value = "{ }";
  EXPECT_FALSE(before.Take(row));
}

TEST(SentBefore, ARecordThatDoesNotNameItsEventIsSentAgain) {
  store::Row nameless = RowOf("1", std::nullopt);
  nameless.record.headers.clear();
  store::Row raw = RowOf("1", std::nullopt);  // with a header of its caller
  raw.event_id = "its id in the spool";
  store::Row structured = nameless;
  structured.record.headers = {{"content-type", "application/cloudevents+json; charset=utf-8"}};
  structured.record.value = R"({"specversion":"1.0","id":"1","data":{}})";
  store::Row other = structured;
  other.record.value = R"({"specversion":"1.0","id":"12","data":{}})";
  SentBefore before(TailOf({nameless, raw, structured, other}));
  EXPECT_FALSE(before.Take(nameless));
  EXPECT_FALSE(before.Take(raw));
  EXPECT_TRUE(before.Take(structured));
  EXPECT_FALSE(before.Take(other));
}

TEST(SentBefore, OnceARowOfAKeyIsSentSoAreAllBehindIt) {
  const store::Row first = RowOf("1", "k"), second = RowOf("2", "k"), other = RowOf("3", "other");
  SentBefore before(TailOf({second, other}));  // the first was compacted
  EXPECT_FALSE(before.Take(first));
  EXPECT_FALSE(before.Take(second)) << "Kafka would have the second before the first";
  EXPECT_TRUE(before.Take(other));
}

TEST(SentBefore, ARowIsSentThatKafkaHasOnlyBeforeTheOneThatWasSkippedLast) {
  const store::Row first = RowOf("1", "k"), second = RowOf("2", "k"), third = RowOf("3", "k");
  SentBefore before(TailOf({first, second, first}));  // an earlier run sent the first again
  EXPECT_TRUE(before.Take(first));
  EXPECT_FALSE(before.Take(second)) << "Kafka's last of the key would be the first";
  EXPECT_FALSE(before.Take(third));
}

TEST(SentBefore, TheSameRecordMayBeTwoTargetsOfAnEvent) {
  const store::Row row = RowOf("1", "k");
  SentBefore before(TailOf({row, row}));
  EXPECT_TRUE(before.Take(row));
  EXPECT_TRUE(before.Take(row));
  EXPECT_FALSE(before.Take(row));
}

// Runs that end in crashes: each drains the rows in their order, and the next one finds all of them
// in the spool again. Of a log that is not whole, it sees only what is behind some offset, after
// some records were compacted: those with a later one of their key.
struct History {
  History(uint32_t seed, int crashes, bool whole) : random(seed) {
    for (int n = 0; n < 60; ++n)
      rows.push_back(RowOf(std::to_string(n), "k" + std::to_string(random() % 5)));
    for (; crashes > 0; --crashes) Run(whole, random() % (rows.size() + 1));
    Run(whole, rows.size());
  }

  void Run(bool whole, size_t until) {
    if (!whole) Compact();
    const size_t begin = whole ? 0 : random() % (log.size() + 1);
    std::vector<kafka::TailRecord> tail;
    for (size_t at = begin; at < log.size(); ++at)
      tail.push_back({event::DigestOf(log[at].row->record), {0, log[at].offset}});
    SentBefore before(std::move(tail));
    for (size_t n = 0; n < until; ++n)
      if (!before.Take(rows[n])) log.push_back({&rows[n], next++});
  }
  void Compact() {
    std::set<std::string> keys;
    for (size_t at = log.size(); at-- > 0;)
      if (!keys.insert(*log[at].row->record.key).second && random() % 4 == 0)
        log.erase(log.begin() + static_cast<std::ptrdiff_t>(at));
  }

  struct Logged {
    const store::Row* row;
    int64_t offset;
  };
  std::mt19937 random;
  std::vector<store::Row> rows;
  std::vector<Logged> log;  // Kafka's
  int64_t next = 0;
};

TEST(SentBefore, WithAllOfKafkaReadBackThereAreNoDuplicates) {
  for (uint32_t seed = 0; seed < 300; ++seed) {
    const History history(seed, seed % 4, true);
    EXPECT_EQ(history.log.size(), history.rows.size()) << seed;
  }
}

TEST(SentBefore, WhateverIsReadBackNothingIsLostAndTheLastOfEachEventIsInOrder) {
  for (uint32_t seed = 0; seed < 1000; ++seed) {
    const History history(seed, seed % 5, false);
    std::map<std::string, int64_t> last;
    std::map<std::string, int64_t> of_key;
    for (const auto& [row, offset] : history.log) {
      last[row->event_id] = offset;
      of_key[*row->record.key] = offset;
    }
    std::map<std::string, const store::Row*> latest;
    for (const auto& row : history.rows) latest[*row.record.key] = &row;
    for (const auto& [key, row] : latest) EXPECT_EQ(last[row->event_id], of_key[key]) << seed;
    std::map<std::string, int64_t> before;
    for (const auto& row : history.rows) {
      if (!last.contains(row.event_id)) continue;  // compacted
      EXPECT_GE(last[row.event_id], before[*row.record.key]) << seed << ", " << row.event_id;
      before[*row.record.key] = last[row.event_id];
    }
  }
}

}  // namespace
}  // namespace outrigger::publish
