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

base::Result<event::Event> Read(const kafka::Consumed& record) {
  event::JsonReader json;
  return ReadRecord(json, record);
}

base::Result<event::Event> Read(std::optional<std::string> value, Headers headers = {}) {
  return Read(Record(std::move(value), std::move(headers)));
}

const Headers kBinary{{"ce_specversion", "1.0"},
                      {"ce_id", "1"},
                      {"ce_source", "/lms"},
                      {"ce_type", "user.registered"}};

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
    ASSERT_TRUE(event.has_value()) << event.error().message;
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

TEST(ReadRecord, ATombstoneIsAnEventWithoutData) {
  EXPECT_EQ(Read(std::nullopt, kBinary)->data, std::nullopt);
  EXPECT_EQ(Read(std::nullopt)->data, std::nullopt);
  EXPECT_EQ(Read("", With(kBinary, {"content-type", "application/json"}))->data, std::nullopt);
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

TEST(ReadRecord, WhatCantBeDecodedIsAnError) {
  const event::Header structured{"content-type", "Application/CloudEvents+JSON; charset=utf-8"};
  const event::Header json{"content-type", "application/json"};
  EXPECT_FALSE(Read("hello").has_value()) << "no JSON, no content type";
  EXPECT_FALSE(Read("{\"a\":1", {json}).has_value());
  EXPECT_FALSE(Read(R"({"type":"a","type":"b"})").has_value());
  EXPECT_FALSE(Read("{", With(kBinary, json)).has_value());
  EXPECT_FALSE(Read("{}", {structured}).has_value());
  EXPECT_FALSE(Read("not json", {structured}).has_value());
  EXPECT_FALSE(Read(std::nullopt, {structured}).has_value());
  EXPECT_FALSE(Read(R"({"specversion":"1.0","type":"t","source":"s"})", {structured}).has_value())
      << "no id";
  EXPECT_FALSE(Read("x", {{"content-type", "application/cloudevents+avro"}}).has_value());
  EXPECT_FALSE(Read("[]", {{"content-type", "application/cloudevents-batch+json"}}).has_value());
}

TEST(ReadRecord, ABinaryEventNeedsItsAttributesOnce) {
  const Headers no_id{{"ce_specversion", "1.0"}, {"ce_source", "s"}, {"ce_type", "t"}};
  EXPECT_FALSE(Read("{}", no_id).has_value());
  EXPECT_FALSE(Read("{}", With(no_id, {"ce_id", std::nullopt})).has_value());
  EXPECT_TRUE(Read("{}", With(no_id, {"ce_id", "1"})).has_value());
  EXPECT_FALSE(Read("{}", With(kBinary, {"ce_id", "2"})).has_value());
  EXPECT_FALSE(Read("{}", With(kBinary, {"ce_Bad-Name", "2"})).has_value());
  EXPECT_FALSE(Read("{}", With(kBinary, {"ce_time", "yesterday"})).has_value());
  EXPECT_FALSE(Read("{}", {{"ce_specversion", "0.3"}, {"ce_id", "1"}}).has_value());
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
