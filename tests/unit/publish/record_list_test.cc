#include "publish/record_list.h"

#include <gtest/gtest.h>

namespace outrigger::publish {
namespace {

using store::QuarantinedRow;
using Page = store::SpoolTable::Page;

const ReserveList kEnough = [](uint64_t) { return true; };

store::Row RowOf(int64_t id) {
  store::Row row;
  row.id = id;
  row.event_id = "e" + std::to_string(id);
  row.record.topic = "t";
  row.record.key = "k";
  row.record.value = "{}";
  row.accepted_ms = 1'000;
  return row;
}

Page PageOf(std::vector<store::Row> rows, std::vector<int64_t> damaged = {}) {
  return {std::move(rows), std::move(damaged)};
}

TEST(RecordList, ARecordIsShownWithAllThatItHas) {
  store::Row row = RowOf(7);
  row.source = "/s";
  row.target = 1;
  row.dead_letter = "dead";
  row.record.partition = 3;
  row.record.timestamp_ms = 5;
  row.record.headers = {{"ce_type", "a.b"}, {"none", std::nullopt}};
  EXPECT_EQ(
      *ListJson(PageOf({row}), "", kEnough),
      R"({"records":[{"id":7,"in":"spool","eventId":"e7","source":"/s","target":1,)"
      R"("acceptedAt":"1970-01-01T00:00:01.000Z","deadLetter":"dead","bytes":26,"topic":"t",)"
      R"("partition":3,"timestampMs":5,"key":"k","headers":[{"name":"ce_type","value":"a.b"},)"
      R"({"name":"none","value":null}],"value":"{}"}],"next":7})");
}

TEST(RecordList, BytesThatAreNoTextAreBase64AndANullIsNull) {
  store::Row row = RowOf(1);
  row.record.key = std::string("\xff", 1);
  row.record.value = std::string("a\0", 2);
  std::string text = *ListJson(PageOf({row}), "", kEnough);
  EXPECT_NE(text.find(R"("keyBase64":"/w==")"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("valueBase64":"YQA=")"), std::string::npos) << text;
  row.record.key.reset();
  row.record.value.reset();
  text = *ListJson(PageOf({row}), "", kEnough);
  EXPECT_NE(text.find(R"("key":null)"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("value":null)"), std::string::npos) << text;
  row.record.value = "a\r\n\tb";
  text = *ListJson(PageOf({row}), "", kEnough);
  EXPECT_NE(text.find(R"("value":"a)"), std::string::npos) << text;
}

TEST(RecordList, AQuarantinedRecordSaysWhy) {
  QuarantinedRow row;
  row.row = RowOf(2);
  row.reason = "too_large";
  row.detail = "the broker says so";
  row.quarantined_ms = 2'000;
  row.damaged = true;
  const std::string text = *ListJson(std::vector{row}, "", kEnough);
  EXPECT_NE(
      text.find(R"({"id":2,"in":"quarantine","damaged":true,"reason":"too_large",)"
                R"("detail":"the broker says so","quarantinedAt":"1970-01-01T00:00:02.000Z")"),
      std::string::npos)
      << text;
}

TEST(RecordList, DamagedRowsHaveTheirPlaceInTheOrder) {
  const std::string text = *ListJson(PageOf({RowOf(1), RowOf(3)}, {2}), "", kEnough);
  EXPECT_LT(text.find(R"("id":1)"), text.find(R"("id":2,"in":"spool","damaged":true)"));
  EXPECT_LT(text.find(R"("id":2)"), text.find(R"("id":3)"));
}

TEST(RecordList, NextIsTheLastThatWasLookedAt) {
  const auto text = [](Page page, const char* topic) {
    return *ListJson(std::move(page), topic, kEnough);
  };
  EXPECT_EQ(text(PageOf({}), ""), R"({"records":[]})");
  EXPECT_EQ(text(PageOf({RowOf(1), RowOf(2)}), "other"), R"({"records":[],"next":2})");
}

TEST(RecordList, WithoutRoomForAllAPageIsShorterAndWithoutAnyThereIsNone) {
  const auto room = [](uint64_t most) { return [most](uint64_t bytes) { return bytes <= most; }; };
  const std::string one = *ListJson(PageOf({RowOf(1)}), "", kEnough);
  EXPECT_EQ(*ListJson(PageOf({RowOf(1), RowOf(2)}), "", room(one.size())), one);
  EXPECT_FALSE(ListJson(PageOf({RowOf(1)}), "", room(20)));
  store::Store::Found found;
  found.spooled = {RowOf(1), RowOf(2)};
  EXPECT_FALSE(ListJson(found, room(one.size()))) << "of one event all is shown, or nothing";
  EXPECT_TRUE(ListJson(found, kEnough));
}

}  // namespace
}  // namespace outrigger::publish
