#include "event/record_digest.h"

#include <gtest/gtest.h>

#include <set>

namespace outrigger::event {
namespace {

Record Usual() {
  return {.topic = "t", .key = "k", .value = "v", .headers = {{"a", "1"}, {"b", std::nullopt}}};
}

TEST(RecordDigest, IsThatOfEveryByteAndOfTheirPlaces) {
  std::vector<Record> records(11, Usual());
  records[1].topic = "u";
  records[2].key = "K";
  records[3].key.reset();
  records[4].key = "";
  records[5].value.reset();
  records[6].value = "";
  records[7].headers.pop_back();
  records[8].headers[1].value = "";
  std::swap(records[9].headers[0], records[9].headers[1]);
  records[10].key = "kv";  // the same bytes in another place
  records[10].value = "";
  std::set<RecordDigest> digests;
  for (const auto& record : records) digests.insert(DigestOf(record));
  EXPECT_EQ(digests.size(), records.size());
}

TEST(RecordDigest, DoesNotSayWhereOrWhenTheRecordIs) {
  Record record = Usual();
  record.partition = 3;
  record.timestamp_ms = 1;
  EXPECT_EQ(DigestOf(record), DigestOf(Usual()));
}

TEST(RecordDigest, RecordsOfATopicsKeyHaveThatInCommon) {
  Record record = Usual();
  record.value = "another";
  EXPECT_EQ(DigestOf(record).key, DigestOf(Usual()).key);
  EXPECT_NE(DigestOf(record).first, DigestOf(Usual()).first);
  EXPECT_NE(DigestOf(record).second, DigestOf(Usual()).second);
  record.key = "another";
  EXPECT_NE(DigestOf(record).key, DigestOf(Usual()).key);
}

}  // namespace
}  // namespace outrigger::event
