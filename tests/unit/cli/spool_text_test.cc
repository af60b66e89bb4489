#include "cli/spool_text.h"

#include <gtest/gtest.h>

namespace outrigger::cli {
namespace {

using Json = nlohmann::ordered_json;

const base::WallTime kNow{std::chrono::seconds(200'000)};

Json Record() {
  return Json::parse(R"({"id":7,"in":"spool","eventId":"e7","target":0,
      "acceptedAt":"1970-01-03T06:33:20.000Z","bytes":26,"topic":"orders","key":"k",
      "headers":[{"name":"ce_type","value":"a.b"},{"name":"none","value":null}],
      "value":"{\"a\":1}"})");
}

TEST(SpoolText, TheColumnsOfALineAreUnderTheirHeadings) {
  const std::string heading = RecordHeading(false);
  const std::string line = RecordLine(Record(), false, kNow);
  for (const auto& [name, value] : {std::pair("ID", "7"),
                                    {"TOPIC", "orders"},
                                    {"BYTES", "26"},
                                    {"AGE", "1h"},
                                    {"EVENT", "e7"},
                                    {"PARTITION", "-"}})
    EXPECT_EQ(line.substr(heading.find(name), std::string_view(value).size()), value) << line;
}

TEST(SpoolText, AnAgeIsInItsLargestUnit) {
  const auto age = [](const char* accepted) {
    Json record = Record();
    record["acceptedAt"] = accepted;
    const std::string line = RecordLine(record, false, kNow);
    return line.substr(RecordHeading(false).find("AGE"), 3);
  };
  EXPECT_EQ(age("1970-01-03T07:33:15Z"), "5s ");
  EXPECT_EQ(age("1970-01-03T07:30:20Z"), "3m ");
  EXPECT_EQ(age("1970-01-01T00:00:00Z"), "2d ");
  EXPECT_EQ(age("2000-01-01T00:00:00Z"), "0s ") << "another machine's clock";
}

TEST(SpoolText, AQuarantinedRecordHasItsReasonAndADamagedOneSaysSo) {
  Json record = Record();
  record["reason"] = "too_large";
  EXPECT_NE(RecordLine(record, true, kNow).find("too_large"), std::string::npos);
  EXPECT_NE(RecordLine(Json{{"id", 3}, {"damaged", true}}, false, kNow).find("damaged"),
            std::string::npos);
}

TEST(SpoolText, WhatATerminalWouldObeyIsEscaped) {
  Json record = Record();
  record["eventId"] = "\x1b[2J";
  record["key"] = "a\nb";
  const std::string line = RecordLine(record, false, kNow);
  EXPECT_EQ(line.find('\x1b'), std::string::npos);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
}

TEST(SpoolText, EverythingOfARecordIsShownWithItsValueLast) {
  const std::string text = RecordText(Record(), kNow);
  EXPECT_NE(text.find("id              7 in the spool\n"), std::string::npos) << text;
  EXPECT_NE(text.find("accepted        1970-01-03T06:33:20.000Z, 1h ago\n"), std::string::npos);
  EXPECT_NE(text.find("header          ce_type: a.b\n"), std::string::npos) << text;
  EXPECT_NE(text.find("header          none: null\n"), std::string::npos) << text;
  EXPECT_TRUE(text.ends_with("\n\n{\"a\":1}\n")) << text;
}

TEST(SpoolText, BytesThatAreNoTextAreShownAsBase64AndANullAsNull) {
  Json record = Record();
  record.erase("key");
  record["keyBase64"] = "/w==";
  record["value"] = nullptr;
  const std::string text = RecordText(record, kNow);
  EXPECT_NE(text.find("key             base64:/w==\n"), std::string::npos) << text;
  EXPECT_TRUE(text.ends_with("value           null\n")) << text;
}

}  // namespace
}  // namespace outrigger::cli
