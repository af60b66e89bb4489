#include "publish/raw_record.h"

#include <gtest/gtest.h>

#include "support/fake_request.h"

namespace outrigger::publish {
namespace {

using Query = std::vector<std::pair<std::string, std::string>>;

base::Result<event::Record> Read(Query query, std::string body = "", Ask ask = {}) {
  test::FakeRequest request;
  request.mutable_head().query = std::move(query);
  request.mutable_head().fields = {{"content-type", "text/plain"}};
  request.body() = std::move(body);
  return ReadRawRecord(request, "raw.a", ask);
}

std::string Problem(Query query, std::string body = "") {
  auto record = Read(std::move(query), std::move(body));
  return record ? std::string() : record.error().message;
}

TEST(RawRecord, KeyPartitionAndTimestampComeFromTheQuery) {
  const auto record =
      Read({{"key", std::string("\0\0\0*", 4)}, {"partition", "5"}, {"timestamp", "1795464930250"}},
           "bytes");
  ASSERT_TRUE(record.has_value()) << record.error().message;
  EXPECT_EQ(record->key, std::string("\0\0\0*", 4));
  EXPECT_EQ(record->partition, 5);
  EXPECT_EQ(record->timestamp_ms, 1'795'464'930'250);
  EXPECT_EQ(record->value, "bytes");
  EXPECT_EQ(record->headers, (std::vector<event::Header>{{"content-type", "text/plain"}}));
}

TEST(RawRecord, WithoutAQueryHasNoKeyAPartitionByItselfAndTheTimeOfItsSending) {
  const auto record = Read({});
  EXPECT_EQ(record->key, std::nullopt);
  EXPECT_EQ(record->partition, -1);
  EXPECT_EQ(record->timestamp_ms, 0);
}

TEST(RawRecord, ABodyOfNoBytesIsAnEmptyValueUnlessATombstoneIsAskedFor) {
  EXPECT_EQ(Read({})->value, "");
  EXPECT_EQ(Read({{"tombstone", "false"}})->value, "");
  EXPECT_EQ(Read({{"tombstone", "true"}, {"key", "k"}})->value, std::nullopt);
  EXPECT_NE(Problem({{"tombstone", "true"}}, "x").find("has a body"), std::string::npos);
  for (const char* value : {"", "1", "yes", "TRUE"})
    EXPECT_NE(Problem({{"tombstone", value}}).find("true or false"), std::string::npos) << value;
}

TEST(RawRecord, ANumberThatIsNoneIsRefusedByName) {
  for (const char* value : {"", "-1", "1.5", "a", "2147483648", " 1", "1 "})
    EXPECT_NE(Problem({{"partition", value}}).find("?partition="), std::string::npos) << value;
  for (const char* value : {"", "0", "-1", "1.5", "2026-11-23T20:15:30Z", "9223372036854775808"})
    EXPECT_NE(Problem({{"timestamp", value}}).find("?timestamp="), std::string::npos) << value;
}

TEST(RawRecord, AKafkaContentTypeWinsOverThatOfTheRequest) {
  Ask ask;
  ask.headers = {{"content-type", "text/csv"}};
  EXPECT_EQ(Read({}, "x", ask)->headers, ask.headers);
}

}  // namespace
}  // namespace outrigger::publish
