#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "event/base64.h"
#include "event/cloudevents.h"

namespace outrigger::event {
namespace {

Event Full() {
  Event event;
  event.id = "1";
  event.source = "/s";
  event.type = "user.registered";
  event.subject = "u";
  event.time = "2026-11-23T20:15:30Z";
  event.datacontenttype = "application/json";
  event.dataschema = "urn:a";
  event.version = "1.0";
  event.extensions = {{"partitionkey", "p"}, {"traceparent", "00-1"}, {"tracestate", "a=b"}};
  event.headers = {{"tenant", "blue"}, {"none", std::nullopt}};
  event.data = "{ \"b\" : 1.0 , \"a\":\"\\u00e9\" }";
  event.data_is_json = true;
  return event;
}

TEST(KafkaBinary, AttributesAreHeadersAndTheValueIsTheDatasBytes) {
  const Record record = ToKafkaBinary(Full());
  EXPECT_EQ(record.value, Full().data);
  EXPECT_EQ(record.headers, (std::vector<Header>{{"ce_specversion", "1.0"},
                                                 {"ce_id", "1"},
                                                 {"ce_source", "/s"},
                                                 {"ce_type", "user.registered"},
                                                 {"ce_time", "2026-11-23T20:15:30Z"},
                                                 {"ce_subject", "u"},
                                                 {"ce_dataschema", "urn:a"},
                                                 {"ce_version", "1.0"},
                                                 {"content-type", "application/json"},
                                                 {"ce_partitionkey", "p"},
                                                 {"traceparent", "00-1"},
                                                 {"ce_traceparent", "00-1"},
                                                 {"tracestate", "a=b"},
                                                 {"ce_tracestate", "a=b"},
                                                 {"tenant", "blue"},
                                                 {"none", std::nullopt}}));
  EXPECT_EQ(record.partition, -1);
}

TEST(KafkaBinary, WhatIsAbsentHasNoHeader) {
  Event event;
  event.id = "1";
  event.source = "/s";
  event.type = "t";
  const Record record = ToKafkaBinary(event);
  EXPECT_EQ(record.headers,
            (std::vector<Header>{
                {"ce_specversion", "1.0"}, {"ce_id", "1"}, {"ce_source", "/s"}, {"ce_type", "t"}}));
}

TEST(KafkaBinary, NoDataIsANullValueAndEmptyDataAnEmptyOne) {
  Event event;
  EXPECT_EQ(ToKafkaBinary(event).value, std::nullopt);
  event.data = "";
  EXPECT_EQ(ToKafkaBinary(event).value, "");
}

TEST(KafkaBinary, PassesBytesThatAreNotUtf8) {
  Event event;
  event.subject = "\xFF";
  event.headers = {{"h", "\x80\x00"}};
  event.data = std::string("\x00\xFE", 2);
  const Record record = ToKafkaBinary(event);
  EXPECT_EQ(record.value, std::string("\x00\xFE", 2));
  EXPECT_EQ(record.headers[1], (Header{"ce_subject", "\xFF"}));
}

TEST(KafkaStructured, TheValueIsOneCloudEventWithTheDatasBytesInside) {
  const Record record = ToKafkaStructured(Full());
  ASSERT_TRUE(record.value.has_value());
  EXPECT_NE(record.value->find("\"data\":" + *Full().data + "}"), std::string::npos)
      << *record.value;
  JsonReader json;
  const auto back = FromStructured(json, *record.value);
  ASSERT_TRUE(back.has_value()) << back.error().message;
  EXPECT_EQ(back->id, "1");
  EXPECT_EQ(back->source, "/s");
  EXPECT_EQ(back->type, "user.registered");
  EXPECT_EQ(back->subject, "u");
  EXPECT_EQ(back->time, "2026-11-23T20:15:30Z");
  EXPECT_EQ(back->dataschema, "urn:a");
  EXPECT_EQ(back->version, "1.0");
  EXPECT_EQ(back->datacontenttype, "application/json");
  EXPECT_EQ(back->extensions, Full().extensions);
  EXPECT_EQ(back->data, Full().data);
}

TEST(KafkaStructured, HeadersAreTheContentTypeAndTheCallers) {
  EXPECT_EQ(ToKafkaStructured(Full()).headers,
            (std::vector<Header>{{"content-type", "application/cloudevents+json; charset=UTF-8"},
                                 {"tenant", "blue"},
                                 {"none", std::nullopt}}));
}

TEST(KafkaStructured, DataThatIsNotJsonIsBase64) {
  Event event = Full();
  event.datacontenttype = "image/png";
  event.data = std::string("\x00\xFF\"", 3);
  event.data_is_json = false;
  const auto value = nlohmann::json::parse(*ToKafkaStructured(event).value);
  EXPECT_EQ(value["data_base64"], EncodeBase64(*event.data));
  EXPECT_FALSE(value.contains("data"));
}

TEST(KafkaStructured, NoDataIsAnEventWithoutDataAndNotANullValue) {
  Event event = Full();
  event.data.reset();
  const auto value = nlohmann::json::parse(*ToKafkaStructured(event).value);
  EXPECT_FALSE(value.contains("data"));
  EXPECT_FALSE(value.contains("data_base64"));
}

TEST(KafkaStructured, IsStrictJsonWhateverTheAttributesHold) {
  Event event = Full();
  event.subject = "\"\\\x01\n\xFF\xC3\xA9";
  event.source = std::string("a\0b", 3);
  JsonReader json;
  const auto back = FromStructured(json, *ToKafkaStructured(event).value);
  ASSERT_TRUE(back.has_value()) << back.error().message;
  EXPECT_EQ(back->subject, "\"\\\x01\n\xEF\xBF\xBD\xC3\xA9");
  EXPECT_EQ(back->source, event.source);
}

TEST(ReservedHeader, AreThoseOfTheBindingAndOutrigger) {
  for (const char* name :
       {"ce_id", "CE_ID", "ce_", "outrigger-replay", "Outrigger-X", "content-type", "Content-Type"})
    EXPECT_TRUE(IsReservedHeader(name)) << name;
  for (const char* name : {"", "ce", "cell", "ce-id", "outrigger", "content-types", "traceparent"})
    EXPECT_FALSE(IsReservedHeader(name)) << name;
}

}  // namespace
}  // namespace outrigger::event
