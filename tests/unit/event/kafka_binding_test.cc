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
                                                 {"ce_traceparent", "00-1"},
                                                 {"ce_tracestate", "a=b"},
                                                 {"traceparent", "00-1"},
                                                 {"tracestate", "a=b"},
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

TEST(KafkaStructured, HeadersAreTheContentTypeTheTraceAndTheCallers) {
  EXPECT_EQ(ToKafkaStructured(Full()).headers,
            (std::vector<Header>{{"content-type", "application/cloudevents+json; charset=UTF-8"},
                                 {"traceparent", "00-1"},
                                 {"tracestate", "a=b"},
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

TEST(KafkaStructured, ACallersTraceHeaderIsTheOnlyOneOfItsName) {
  Event event = Full();
  event.headers = {{"traceparent", "00-2"}, {"tracestate", std::nullopt}};
  for (const Record& record : {ToKafkaBinary(event), ToKafkaStructured(event)}) {
    std::vector<Header> traces;
    for (const auto& header : record.headers)
      if (header.name.starts_with("trace")) traces.push_back(header);
    EXPECT_EQ(traces, event.headers);
  }
}

// The event that a structured CloudEvent is after a way through Kafka in structured mode.
nlohmann::json ThereAndBack(const std::string& members) {
  JsonReader json;
  auto event = FromStructured(
      json, R"({"specversion":"1.0","id":"1","source":"/s","type":"t",)" + members + "}");
  EXPECT_TRUE(event.has_value()) << members << ": " << event.error().message;
  EXPECT_TRUE(CheckAttributeValues(*event).has_value()) << members;
  return nlohmann::json::parse(*ToKafkaStructured(*event).value);
}

TEST(KafkaStructured, NumbersAndBooleansOfExtensionsKeepTheirTypes) {
  const auto event = ThereAndBack(
      R"("seq":5,"neg":-2147483648,"max":2147483647,"flag":true,"off":false,"text":"5",)"
      R"("word":"true","empty":"","none":null,"version":2)");
  EXPECT_EQ(event["seq"], 5);
  EXPECT_EQ(event["neg"], -2147483648);
  EXPECT_EQ(event["max"], 2147483647);
  EXPECT_EQ(event["flag"], true);
  EXPECT_EQ(event["off"], false);
  EXPECT_EQ(event["text"], "5");
  EXPECT_EQ(event["word"], "true");
  EXPECT_EQ(event["empty"], "");
  EXPECT_FALSE(event.contains("none"));
  EXPECT_EQ(event["version"], 2);
}

TEST(KafkaBinary, NumbersAndBooleansOfExtensionsAreTheirText) {
  JsonReader json;
  const auto event = FromStructured(
      json, R"({"specversion":"1.0","id":"1","source":"/s","type":"t","seq":5,"flag":true})");
  ASSERT_TRUE(event.has_value());
  const Record record = ToKafkaBinary(*event);
  for (const auto& [name, text] : {std::pair{"ce_seq", "5"}, {"ce_flag", "true"}})
    EXPECT_EQ(std::count(record.headers.begin(), record.headers.end(), Header{name, text}), 1);
}

TEST(KafkaStructured, TextStaysTextAndBytesStayBytes) {
  for (const char* members :
       {R"("datacontenttype":"text/xml","data":"<x a=\"\u00e9\"/>")",
        R"("datacontenttype":"application/xml","data":"<x/>")",
        R"("datacontenttype":"text/plain; charset=iso-8859-1","data":"caf\u00e9")",
        R"("datacontenttype":"application/x-own","data":"own text")",
        R"("datacontenttype":"text/csv","data":"")",
        R"("datacontenttype":"application/json","data":"a JSON string")",
        R"("datacontenttype":"model/json","data":{"n":1.50})", R"("data":null)", R"("data":"text")",
        R"("datacontenttype":"image/png","data_base64":"AP8BgA==")",
        R"("datacontenttype":"application/octet-stream","data_base64":"QUJD")",
        R"("datacontenttype":"text/plain","data_base64":"/w==")",
        R"("datacontenttype":"text/plain; charset=utf-16","data_base64":"YQBiAA==")",
        R"("data_base64":"QUJD")"}) {
    const auto sent = nlohmann::json::parse(std::string("{") + members + "}");
    const auto back = ThereAndBack(members);
    for (const char* name : {"data", "data_base64"}) {
      EXPECT_EQ(back.contains(name), sent.contains(name)) << members << " → " << back;
      EXPECT_EQ(back.value(name, nlohmann::json()), sent.value(name, nlohmann::json())) << members;
    }
  }
}

TEST(KafkaStructured, Base64ThatIsJsonIsJson) {
  const auto event =
      ThereAndBack(R"("datacontenttype":"text/json; v=1","data_base64":"77u/eyJhIjoxLjUwfQ==")");
  EXPECT_EQ(event["data"], nlohmann::json::parse(R"({"a":1.50})"));
  EXPECT_FALSE(event.contains("data_base64"));
}

TEST(KafkaStructured, TextThatCameAsBytesIsTextWhereItsTypeSaysSo) {
  for (const auto& [type, text] : std::initializer_list<std::pair<const char*, bool>>{
           {"text/csv", true},
           {"TEXT/HTML; charset=UTF-8", true},
           {"text/plain;charset=\"us-ascii\"", true},
           {"application/xml", true},
           {"application/soap+xml; action=a", true},
           {"text/plain; charset=latin1", false},
           {"application/octet-stream", false},
           {"application/pdf", false},
           {"", false}}) {
    Event event = Full();
    event.datacontenttype = type;
    event.data = "a;b\n\"1\";\xC3\xA9";
    event.data_is_json = false;
    const auto value = nlohmann::json::parse(*ToKafkaStructured(event).value);
    if (text) {
      EXPECT_EQ(value.value("data", ""), *event.data) << type;
    } else {
      EXPECT_EQ(value.value("data_base64", ""), EncodeBase64(*event.data)) << type;
    }
  }
}

TEST(KafkaStructured, AByteOrderMarkOfTheDataIsLeftOut) {
  Event event = Full();
  event.data = "\xEF\xBB\xBF{\"a\":1}";
  EXPECT_EQ(nlohmann::json::parse(*ToKafkaStructured(event).value)["data"]["a"], 1);
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
