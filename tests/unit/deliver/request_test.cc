#include "deliver/request.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "deliver/read_record.h"
#include "event/cloudevents.h"

namespace outrigger::deliver {
namespace {

kafka::Consumed Record() {
  kafka::Consumed record;
  record.topic = "user.events";
  record.partition = 3;
  record.offset = 42;
  record.key = "a b";
  record.value = R"({"userId":"u/1"})";
  record.headers = {{"ce_specversion", "1.0"},
                    {"ce_id", "1"},
                    {"ce_source", "/lms"},
                    {"ce_type", "user.registered"},
                    {"ce_subject", "Euro \xE2\x82\xAC \"%\""},
                    {"ce_tenant", "blue"},
                    {"content-type", "application/json"},
                    {"team", "a"}};
  return record;
}

std::vector<config::Problem> Problems(const std::string& path) {
  std::vector<config::Problem> problems;
  HandlerPath::Compile({path, {"o.yaml", 4, 7}, "subscriptions[0].deliver.url"}, problems);
  return problems;
}

HandlerPath Path(const std::string& path) {
  std::vector<config::Problem> problems;
  HandlerPath compiled = HandlerPath::Compile({path, {}, "url"}, problems);
  EXPECT_TRUE(problems.empty()) << path;
  return compiled;
}

std::string Rendered(const std::string& path, const event::Event& event) {
  const auto rendered = Path(path).Render(event);
  return rendered ? *rendered : "wrong: " + rendered.error().message;
}

base::Result<http::Call> Make(Mode mode, const kafka::Consumed& record, uint32_t attempt = 1) {
  event::JsonReader json;
  const auto event = mode == Mode::kRaw ? RawEvent(record) : ReadRecord(json, record).event;
  return MakeCall(Path("/h/{type}"), mode, Attempt{record, event, "welcome", attempt});
}

// Its headers as an app reads them.
std::vector<std::pair<std::string, std::string>> HeadersOf(const http::Call& call) {
  std::vector<std::pair<std::string, std::string>> headers;
  std::string_view rest = call.headers.text();
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find("\r\n"));
    const size_t colon = line.find(": ");
    headers.emplace_back(line.substr(0, colon), line.substr(colon + 2));
    rest.remove_prefix(line.size() + 2);
  }
  return headers;
}

std::string Value(const http::Call& call, std::string_view name) {
  for (const auto& [key, value] : HeadersOf(call))
    if (key == name) return value;
  return "(absent)";
}

TEST(Request, BinaryHasTheAttributesAsHeadersAndTheDataAsItIs) {
  const auto call = Make(Mode::kBinary, Record());
  ASSERT_TRUE(call.has_value());
  EXPECT_EQ(call->method, "POST");
  EXPECT_EQ(call->path, "/h/user.registered");
  EXPECT_EQ(call->body, R"({"userId":"u/1"})");
  EXPECT_EQ(Value(*call, "ce-specversion"), "1.0");
  EXPECT_EQ(Value(*call, "ce-id"), "1");
  EXPECT_EQ(Value(*call, "ce-source"), "/lms");
  EXPECT_EQ(Value(*call, "ce-type"), "user.registered");
  EXPECT_EQ(Value(*call, "ce-tenant"), "blue");
  EXPECT_EQ(Value(*call, "content-type"), "application/json");
  EXPECT_EQ(Value(*call, "ce-datacontenttype"), "(absent)");
}

TEST(Request, AttributesArePercentEncodedAndReadBackTheSame) {
  const auto call = Make(Mode::kBinary, Record());
  EXPECT_EQ(Value(*call, "ce-subject"), "Euro%20%E2%82%AC%20%22%25%22");
  const auto headers = HeadersOf(*call);
  std::vector<event::HttpField> fields;
  for (const auto& [name, value] : headers) fields.push_back({name, value});
  const auto read = event::FromHttpBinary(fields, call->body, true);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->subject, "Euro \xE2\x82\xAC \"%\"");
}

TEST(Request, StructuredIsOneCloudEventInTheBody) {
  const auto call = Make(Mode::kStructured, Record());
  ASSERT_TRUE(call.has_value());
  EXPECT_EQ(Value(*call, "content-type"), "application/cloudevents+json");
  EXPECT_EQ(Value(*call, "ce-id"), "(absent)");
  EXPECT_EQ(Value(*call, "kafka-team"), "a");
  event::JsonReader json;
  const auto read = event::FromStructured(json, call->body);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->id, "1");
  EXPECT_EQ(read->data, R"({"userId":"u/1"})");
}

TEST(Request, RawIsTheRecordAsItStands) {
  kafka::Consumed record = Record();
  record.value = std::string("\0\xFF", 2);
  const auto call = Make(Mode::kRaw, record);
  ASSERT_TRUE(call.has_value());
  EXPECT_EQ(call->path, "/h/user.events");
  EXPECT_EQ(call->body, std::string("\0\xFF", 2));
  EXPECT_EQ(Value(*call, "ce-id"), "(absent)");
  EXPECT_EQ(Value(*call, "kafka-ce_id"), "1");
  EXPECT_EQ(Value(*call, "content-type"), "application/json");
  record.headers.clear();
  EXPECT_EQ(Value(*Make(Mode::kRaw, record), "content-type"), "application/octet-stream");
}

TEST(Request, HeadersSayWhereTheEventStandsAndWhichAttemptItIs) {
  const auto call = Make(Mode::kBinary, Record(), 3);
  EXPECT_EQ(Value(*call, "outrigger-topic"), "user.events");
  EXPECT_EQ(Value(*call, "outrigger-partition"), "3");
  EXPECT_EQ(Value(*call, "outrigger-offset"), "42");
  EXPECT_EQ(Value(*call, "outrigger-key"), "a%20b");
  EXPECT_EQ(Value(*call, "outrigger-attempt"), "3");
  EXPECT_EQ(Value(*call, "outrigger-subscription"), "welcome");
  EXPECT_EQ(Value(*call, "outrigger-replay"), "(absent)");
  kafka::Consumed keyless = Record();
  keyless.key.reset();
  EXPECT_EQ(Value(*Make(Mode::kBinary, keyless), "outrigger-key"), "(absent)");
}

TEST(Request, RedrivesAndReplaysSayThatTheyAre) {
  const kafka::Consumed record = Record();
  const event::Event event = RawEvent(record);
  const auto call =
      MakeCall(Path("/"), Mode::kRaw, Attempt{record, event, "welcome", 1, true, true});
  EXPECT_EQ(Value(*call, "outrigger-redrive"), "true");
  EXPECT_EQ(Value(*call, "outrigger-replay"), "true");
}

TEST(Request, OtherKafkaHeadersKeepTheirNamesBehindKafka) {
  kafka::Consumed record = Record();
  record.headers.push_back({"X Y:\r\n%", "v\r\nce-id: 2"});
  record.headers.push_back({"none", std::nullopt});
  record.headers.push_back({"outrigger-error-reason", "timeout"});
  const auto call = Make(Mode::kBinary, record);
  EXPECT_EQ(Value(*call, "kafka-team"), "a");
  EXPECT_EQ(Value(*call, "kafka-X%20Y%3A%0D%0A%25"), "v%0D%0Ace-id:%202");
  EXPECT_EQ(Value(*call, "kafka-none"), "");
  EXPECT_EQ(Value(*call, "kafka-outrigger-error-reason"), "timeout");
  EXPECT_EQ(Value(*call, "kafka-content-type"), "(absent)");
}

TEST(Request, TraceHeadersPassUnderTheirOwnNamesOnce) {
  kafka::Consumed record = Record();
  record.headers.push_back({"ce_traceparent", "00-ab-cd-01"});
  for (const bool header : {false, true}) {
    if (header) record.headers.push_back({"traceparent", "00-ab-cd-01"});
    const auto call = Make(Mode::kBinary, record);
    EXPECT_EQ(std::ranges::count(HeadersOf(*call), "traceparent",
                                 &std::pair<std::string, std::string>::first),
              1);
    EXPECT_EQ(Value(*call, "traceparent"), "00-ab-cd-01");
    EXPECT_EQ(Value(*call, "kafka-traceparent"), "(absent)");
  }
}

TEST(Request, NoByteOfAnEventEndsAHeader) {
  kafka::Consumed record = Record();
  std::string every;
  for (int byte = 0; byte < 256; ++byte) every.push_back(static_cast<char>(byte));
  record.key = every;
  record.headers.push_back({every, every});
  record.headers[4].value = every;
  const auto call = Make(Mode::kBinary, record);
  ASSERT_TRUE(call.has_value());
  for (const auto& [name, value] : HeadersOf(*call))
    for (const char c : name + value) EXPECT_TRUE(c >= 0x20 && c < 0x7F) << name;
}

TEST(Request, AContentTypeThatIsNoHeaderValueIsAPlainHeader) {
  kafka::Consumed record = Record();
  record.headers[6].value = "text/plain\r\nx: y";
  const auto call = Make(Mode::kBinary, record);
  ASSERT_TRUE(call.has_value());
  EXPECT_EQ(Value(*call, "content-type"), "(absent)");
  EXPECT_EQ(Value(*call, "kafka-content-type"), "text/plain%0D%0Ax:%20y");
}

TEST(Request, AnEncodedAnswerIsNotAskedFor) {
  for (const Mode mode : {Mode::kBinary, Mode::kStructured, Mode::kRaw})
    EXPECT_EQ(Value(*Make(mode, Record()), "accept-encoding"), "identity");
}

TEST(Request, ATombstoneSaysSoAndAnEmptyValueDoesNot) {
  kafka::Consumed record = Record();
  for (const Mode mode : {Mode::kBinary, Mode::kStructured, Mode::kRaw}) {
    record.value = "";
    EXPECT_EQ(Value(*Make(mode, record), "outrigger-tombstone"), "(absent)");
    record.value.reset();
    const auto call = Make(mode, record);
    EXPECT_EQ(Value(*call, "outrigger-tombstone"), "true");
    EXPECT_EQ(call->body.empty(), mode != Mode::kStructured);
  }
}

TEST(Request, OnlyTheChosenKafkaHeadersGoAlong) {
  kafka::Consumed record = Record();
  record.headers.push_back({"x-one", "1"});
  record.headers.push_back({"y", std::string(100'000, 'y')});
  record.headers.push_back({"traceparent", "00-ab-cd-01"});
  event::JsonReader json;
  const auto event = ReadRecord(json, record).event;
  const auto names = [&](std::vector<std::string> globs) {
    Attempt attempt{record, event, "welcome"};
    attempt.kafka_headers = &globs;
    const auto call = MakeCall(Path("/"), Mode::kBinary, attempt);
    EXPECT_EQ(Value(*call, "traceparent"), "00-ab-cd-01");
    EXPECT_EQ(Value(*call, "ce-tenant"), "blue") << "an attribute is no Kafka header";
    std::string names;
    for (const auto& [name, value] : HeadersOf(*call))
      if (name.starts_with("kafka-")) names += name + " ";
    return names;
  };
  EXPECT_EQ(names({"*"}), "kafka-team kafka-x-one kafka-y ");
  EXPECT_EQ(names({"x-*", "team"}), "kafka-team kafka-x-one ");
  EXPECT_EQ(names({}), "");
}

TEST(Request, DataThatIsNoUtf8GoesInBase64IntoAStructuredEvent) {
  kafka::Consumed record = Record();
  record.value = "{\"a\":\"M\xFCller\"}";
  const auto call = Make(Mode::kStructured, record);
  EXPECT_NE(call->body.find("\"data_base64\""), std::string::npos);
}

TEST(HandlerPath, PlacesAreEscapedAndTheConfigsOwnTextIsNot) {
  event::Event event;
  event.type = "a/b ?#\xC3\xA9%2F";
  event.id = "1&x=2";
  EXPECT_EQ(Rendered("/h/{type}?id={id}&v=1", event),
            "/h/a%2Fb%20%3F%23%C3%A9%252F?id=1%26x%3D2&v=1");
  EXPECT_EQ(Rendered("/a{{b}}", event), "/a{b}");
  EXPECT_EQ(Rendered("/", event), "/");
}

TEST(HandlerPath, NoEventClimbsOutOfIt) {
  event::Event event;
  for (const char* type : {"..", "."}) {
    event.type = type;
    EXPECT_EQ(Rendered("/h/{type}", event).substr(0, 5), "wrong") << type;
    EXPECT_EQ(Rendered("/h/{type}/x", event).substr(0, 5), "wrong") << type;
    EXPECT_EQ(Rendered("/h/v{type}", event), std::string("/h/v") + type);
    EXPECT_EQ(Rendered("/h?t={type}", event), std::string("/h?t=") + type);
  }
  event.type = "../x";
  EXPECT_EQ(Rendered("/h/{type}", event), "/h/..%2Fx");
}

TEST(HandlerPath, APlaceWithoutAValueIsAnError) {
  event::Event event;
  event.type = "t";
  EXPECT_EQ(Rendered("/h/{subject}", event), "wrong: subject is absent or empty");
}

TEST(HandlerPath, WhatIsNoPathIsAProblem) {
  for (const char* path : {"", "h", "/h/{nothing}", "/h/{type", "/h/}", "/a/../b", "/.", "{type}"})
    EXPECT_EQ(Problems(path).size(), 1U) << path;
  EXPECT_TRUE(Problems("/h/{type}/{data.a.b}?x={header.y}").empty());
}

}  // namespace
}  // namespace outrigger::deliver
