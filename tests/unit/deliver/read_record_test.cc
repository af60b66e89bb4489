#include "deliver/read_record.h"

#include <gtest/gtest.h>

#include "event/cloudevents.h"

namespace outrigger::deliver {
namespace {

using Headers = std::vector<event::Header>;

kafka::Consumed Record(std::optional<std::string> value, Headers headers = {}) {
  kafka::Consumed record;
  record.topic = "user.events";
  record.partition = 3;
  record.offset = 42;
  record.timestamp_ms = 1795464000123;
  record.key = "k";
  record.value = std::move(value);
  record.headers = std::move(headers);
  return record;
}

ReadEvent ReadWhole(std::optional<std::string> value, Headers headers = {}) {
  event::JsonReader json;
  return ReadRecord(json, Record(std::move(value), std::move(headers)));
}

// The event of a record that can be decoded.
std::optional<event::Event> Read(std::optional<std::string> value, Headers headers = {}) {
  ReadEvent read = ReadWhole(std::move(value), std::move(headers));
  if (!read.undecodable.empty()) return std::nullopt;
  return std::move(read.event);
}

const Headers kBinary{{"ce_specversion", "1.0"},
                      {"ce_id", "1"},
                      {"ce_source", "/lms"},
                      {"ce_type", "user.registered"}};

const event::Header kStructured{"content-type", "Application/CloudEvents+JSON; charset=utf-8"};

Headers With(Headers headers, event::Header more) {
  headers.push_back(std::move(more));
  return headers;
}

event::Event Published() {
  event::Event event;
  event.id = "1";
  event.source = "/lms";
  event.type = "user.registered";
  event.subject = "\xC3\xA9";
  event.time = "2026-11-23T20:00:00Z";
  event.datacontenttype = "application/json";
  event.version = "1.0";
  event.extensions = {{"tenant", "blue"}};
  event.headers = {{"team", "a"}, {"none", std::nullopt}};
  event.data = R"( {"n" : 1} )";
  event.data_is_json = true;
  return event;
}

TEST(ReadRecord, WhatWasPublishedInEitherModeComesBack) {
  for (const bool structured : {false, true}) {
    auto sent =
        structured ? event::ToKafkaStructured(Published()) : event::ToKafkaBinary(Published());
    const auto event = Read(sent.value, sent.headers);
    ASSERT_TRUE(event.has_value());
    EXPECT_EQ(event->id, "1");
    EXPECT_EQ(event->source, "/lms");
    EXPECT_EQ(event->type, "user.registered");
    EXPECT_EQ(event->subject, "\xC3\xA9");
    EXPECT_EQ(event->time, "2026-11-23T20:00:00Z");
    EXPECT_EQ(event->version, "1.0");
    EXPECT_EQ(event->datacontenttype, "application/json");
    EXPECT_EQ(event->Extension("tenant"), "blue");
    EXPECT_EQ(event->headers, Published().headers);
    EXPECT_EQ(event->key, "k");
    EXPECT_TRUE(event->data_is_json);
    EXPECT_EQ(*event->data, structured ? R"({"n" : 1})" : R"( {"n" : 1} )");
  }
}

TEST(ReadRecord, BinaryDataOfAnyTypeIsUnchanged) {
  const auto event =
      Read(std::string("\0\xFF{", 3), With(kBinary, {"Content-Type", "application/avro"}));
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->data, std::string("\0\xFF{", 3));
  EXPECT_EQ(event->datacontenttype, "application/avro");
  EXPECT_FALSE(event->data_is_json);
}

TEST(ReadRecord, ATombstoneHasNoDataAndAnEmptyValueHasSome) {
  EXPECT_EQ(Read(std::nullopt, kBinary)->data, std::nullopt);
  EXPECT_EQ(Read(std::nullopt)->data, std::nullopt);
  EXPECT_EQ(Read("", With(kBinary, {"content-type", "application/json"}))->data, "");
  EXPECT_EQ(Read("")->data, "");
  EXPECT_FALSE(Read("", With(kBinary, {"content-type", "application/json"}))->data_is_json);
  const auto of_structured = Read(std::nullopt, {kStructured});
  ASSERT_TRUE(of_structured.has_value());
  EXPECT_EQ(of_structured->type, "user.events");
  EXPECT_EQ(of_structured->datacontenttype, "") << "there is no event in it";
}

TEST(ReadRecord, PlainJsonHasItsTypeFromTheBodyOrTheTopic) {
  const auto event = Read(R"({"type":"user.left","id":"mine"})");
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->type, "user.left");
  EXPECT_EQ(event->id, "user.events/3/42");
  EXPECT_EQ(event->source, "user.events");
  EXPECT_EQ(event->time, "2026-11-23T20:00:00.123Z");
  EXPECT_EQ(event->datacontenttype, "application/json");
  EXPECT_TRUE(event->data_is_json);
  for (const char* body : {R"({"a":1})", R"({"type":7})", R"({"type":""})", R"([{"type":"x"}])",
                           R"({"a":{"type":"x"}})", "42", "null"})
    EXPECT_EQ(Read(body)->type, "user.events") << body;
}

TEST(ReadRecord, PlainDataOfAnotherTypeIsTakenAsItSays) {
  const auto event = Read("hello", {{"content-type", "text/plain"}, {"x", "y"}});
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->datacontenttype, "text/plain");
  EXPECT_EQ(event->type, "user.events");
  EXPECT_EQ(event->headers, (Headers{{"x", "y"}}));
}

TEST(ReadRecord, WhatCantBeDecodedSaysWhy) {
  const event::Header json{"content-type", "application/json"};
  for (const auto& read :
       {ReadWhole("hello"), ReadWhole("{\"a\":1", {json}), ReadWhole("not json", {kStructured}),
        ReadWhole("[]", {kStructured}), ReadWhole("", {kStructured}),
        ReadWhole("x", {{"content-type", "application/cloudevents+avro"}}),
        ReadWhole("[]", {{"content-type", "application/cloudevents-batch+json"}})})
    EXPECT_FALSE(read.undecodable.empty());
}

TEST(ReadRecord, OfWhatCantBeDecodedTheReadableAttributesAreKnown) {
  const std::string broken = R"({"specversion":"1.0","type":"audit.made","data":{"a":)";
  EXPECT_EQ(ReadWhole(broken, {kStructured}).event.type, "audit.made");
  EXPECT_EQ(ReadWhole(broken).event.type, "audit.made");
  EXPECT_EQ(ReadWhole(R"({"id":"1","type":"audit.ma)", {kStructured}).event.type, "");
  EXPECT_EQ(ReadWhole(R"({"data":{"a":,"type":"audit.made"})", {kStructured}).event.type, "")
      << "behind the place where it breaks";
  EXPECT_EQ(ReadWhole("hello").event.type, "") << "not known";
  const event::Header avro{"content-type", "application/cloudevents+avro"};
  EXPECT_EQ(ReadWhole("\x01", {avro, {"ce_type", "audit.made"}}).event.type, "audit.made");
}

TEST(ReadRecord, ContentTypeWinsOverTheAttribute) {
  for (const bool first : {false, true}) {
    Headers headers = kBinary;
    headers.insert(first ? headers.begin() : headers.end(), {"ce_datacontenttype", "text/plain"});
    EXPECT_EQ(Read("{}", headers)->datacontenttype, "text/plain");
    headers = With(headers, {"content-type", "application/json"});
    const auto event = Read("{}", headers);
    ASSERT_TRUE(event.has_value());
    EXPECT_EQ(event->datacontenttype, "application/json");
    EXPECT_TRUE(event->data_is_json);
    EXPECT_TRUE(event->headers.empty());
  }
}

TEST(ReadRecord, OfContentTypesThatStandTwiceTheLastCountsForDetectionAndDelivery) {
  const auto event = Read("x", {kStructured, {"Content-Type", "text/plain"}});
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->datacontenttype, "text/plain");
  EXPECT_TRUE(event->headers.empty());
  EXPECT_FALSE(ReadWhole("x", {{"content-type", "text/plain"}, kStructured}).undecodable.empty());
  EXPECT_EQ(Read("x", {{"content-type", "a/b"}, {"content-type", std::nullopt}})->datacontenttype,
            "a/b");
}

TEST(ReadRecord, WhatIsNoLegalAttributeIsAPlainHeader) {
  for (const event::Header& odd : Headers{{"ce_tenant_id", "blue"},
                                          {"ce_tenantId", "blue"},
                                          {"ce_Type", "blue"},
                                          {"ce_", "blue"},
                                          {"ce_data", "blue"},
                                          {"ce_data_base64", "YQ=="},
                                          {"ce_time", "2024-01-01T00:00Z"},
                                          {"ce_time", "yesterday"},
                                          {"ce_time", "12024-01-01T00:00:00Z"},
                                          {"ce_subject", "M\xFCller"},
                                          {"ce_tenant", "\xFF"},
                                          {"ce_specversion", "0.3"}}) {
    const auto event = Read("{}", With(kBinary, odd));
    ASSERT_TRUE(event.has_value()) << odd.name;
    EXPECT_EQ(event->headers, (Headers{odd}));
    EXPECT_EQ(event->type, "user.registered");
    EXPECT_EQ(event->time, "");
    EXPECT_TRUE(event->extensions.empty());
  }
}

TEST(ReadRecord, OfAttributesThatStandTwiceTheLastCounts) {
  const auto event =
      Read("{}", With(With(With(kBinary, {"ce_id", "2"}), {"ce_x", "a"}), {"ce_x", "b"}));
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->id, "2");
  EXPECT_EQ(event->extensions.size(), 1U);
  EXPECT_EQ(event->Extension("x"), "b");
}

TEST(ReadRecord, MissingAttributesAreThoseOfAPlainRecord) {
  for (const Headers& headers : {Headers{{"ce_specversion", "1.0"}}, Headers{{"ce_id", "7"}},
                                 Headers{{"ce_source", "s"}, {"ce_id", std::nullopt}},
                                 Headers{{"ce_type", "t"}, {"ce_id", ""}}}) {
    const auto event = Read("\x01", With(headers, {"content-type", "application/avro"}));
    ASSERT_TRUE(event.has_value());
    EXPECT_EQ(event->id, headers[0].name == "ce_id" ? "7" : "user.events/3/42");
    EXPECT_EQ(event->source, headers[0].name == "ce_source" ? "s" : "user.events");
    EXPECT_EQ(event->type, headers[0].name == "ce_type" ? "t" : "user.events");
    EXPECT_TRUE(event->headers.empty());
  }
}

TEST(ReadRecord, AStructuredEventIsReadAsTolerantly) {
  for (const char* value : {R"({"specversion":"1.0","type":"t","source":"s","data":{"n":1}})",
                            R"({"type":"t","source":"s","data":{"n":1},"tenant":null,"x":{}})",
                            R"({"type":"u","type":"t","source":"s","data":0,"data":{"n":1}})",
                            "\xEF\xBB\xBF{\"type\":\"t\",\"source\":\"s\",\"data\":{\"n\":1}}"}) {
    const auto event = Read(value, {kStructured});
    ASSERT_TRUE(event.has_value()) << value;
    EXPECT_EQ(event->id, "user.events/3/42");
    EXPECT_EQ(event->type, "t");
    EXPECT_EQ(event->source, "s");
    EXPECT_EQ(event->data, R"({"n":1})");
    EXPECT_EQ(event->datacontenttype, "application/json");
    EXPECT_TRUE(event->data_is_json);
  }
  const auto odd =
      Read(R"({"specversion":"1.0","id":"1","type":"t","source":"s","time":"now","tenant_id":7,)"
           R"("datacontenttype":"text/plain","data":"\u00e9"})",
           {kStructured, {"team", "a"}});
  ASSERT_TRUE(odd.has_value());
  EXPECT_EQ(odd->headers, (Headers{{"ce_time", "now"}, {"ce_tenant_id", "7"}, {"team", "a"}}));
  EXPECT_EQ(odd->data, "\xC3\xA9");
  const auto bytes = Read(R"({"type":"t","data_base64":"AQ=="})", {kStructured});
  EXPECT_EQ(bytes->data, "\x01");
  EXPECT_EQ(Read(R"({"type":"t","data_base64":"?"})", {kStructured})->data, std::nullopt);
}

TEST(ReadRecord, GrammaticalJsonIsDeliveredAsItIs) {
  const std::string deep = std::string(1200, '[') + "{}" + std::string(1200, ']');
  for (const std::string& data :
       {std::string(R"({"a":"\ud800"})"), std::string(R"({"a":1e999})"), R"({"a":)" + deep + "}",
        std::string(R"({"a":1,"a":2})"), std::string("{\"a\":\"M\xFCller\"}")}) {
    const auto plain = Read(data);
    ASSERT_TRUE(plain.has_value()) << data;
    EXPECT_EQ(plain->data, data);
    EXPECT_TRUE(plain->data_is_json);
    const auto typed = Read(data.substr(0, data.size() - 1) + R"(,"type":"t"})");
    EXPECT_EQ(typed->type, "t") << data;
    const auto binary = Read(data, With(kBinary, {"content-type", "application/json"}));
    EXPECT_EQ(binary->data, data);
    const auto structured =
        Read(R"({"specversion":"1.0","id":"1","type":"t","source":"s","data":)" + data + "}",
             {kStructured});
    ASSERT_TRUE(structured.has_value()) << data;
    EXPECT_EQ(structured->data, data);
    EXPECT_EQ(structured->id, "1");
  }
}

TEST(ReadRecord, DataThatIsNoJsonIsNotJudgedButWhereARuleReadsIt) {
  const ReadEvent read = ReadWhole("{\"a\":", With(kBinary, {"content-type", "application/json"}));
  EXPECT_EQ(read.undecodable, "");
  EXPECT_EQ(read.event.data, "{\"a\":");
  EXPECT_FALSE(read.event.data_is_json);
  EXPECT_FALSE(read.broken_data.empty());
}

TEST(ReadRecord, AByteOrderMarkIsNoPartOfJson) {
  const auto event = Read("\xEF\xBB\xBF{\"type\":\"t\"}");
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->type, "t");
  EXPECT_EQ(event->data, "{\"type\":\"t\"}");
}

TEST(ReadRecord, ATimeThatRfc3339CantWriteIsLeftOut) {
  event::JsonReader json;
  kafka::Consumed record = Record("{}");
  for (const int64_t odd : {int64_t{-1}, int64_t{-5}, int64_t{1795464000123456},
                            int64_t{253402300800000}, INT64_MAX, INT64_MIN}) {
    record.timestamp_ms = odd;
    EXPECT_EQ(ReadRecord(json, record).event.time, "") << odd;
  }
  record.timestamp_ms = 253402300799999;
  EXPECT_EQ(ReadRecord(json, record).event.time, "9999-12-31T23:59:59.999Z");
  record.timestamp_ms = 0;
  EXPECT_EQ(ReadRecord(json, record).event.time, "1970-01-01T00:00:00.000Z");
}

TEST(ReadRecord, RawNeverFails) {
  for (const auto& record :
       {Record("\xFF", {{"ce_specversion", "9"}}), Record(std::nullopt),
        Record("x", {{"content-type", "application/cloudevents+json"}, {"ce_id", "1"}})}) {
    const event::Event event = RawEvent(record);
    EXPECT_EQ(event.type, "user.events");
    EXPECT_EQ(event.id, "user.events/3/42");
    EXPECT_FALSE(event.data_is_json);
  }
}

}  // namespace
}  // namespace outrigger::deliver
