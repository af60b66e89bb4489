#include "publish/prepare.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "config/load.h"
#include "event/cloudevents.h"
#include "publish/answer.h"

namespace outrigger::publish {
namespace {

std::shared_ptr<const Routes> Build(const std::string& rule) {
  auto loaded = config::LoadText(
      "apiVersion: outrigger/v1\nkind: Sidecar\nroutes:\n  - {topic: t, " + rule + "}\n",
      "test.yaml", [](const char*) { return std::nullopt; });
  EXPECT_TRUE(loaded.ok()) << loaded.problems.front().text();
  auto routes = Routes::Build(loaded.config, loaded.problems);
  EXPECT_TRUE(loaded.ok()) << loaded.problems.front().text();
  return routes;
}

tl::expected<Prepared, Refused> PrepareBy(const std::string& rule, event::Event event) {
  const auto routes = Build(rule);
  EXPECT_TRUE(Complete(event, "test", {}).has_value());
  return Prepare(routes->rules().front(), std::move(event), {});
}

event::Record Record(const std::string& rule, event::Event event) {
  auto prepared = PrepareBy(rule, std::move(event));
  EXPECT_TRUE(prepared.has_value()) << prepared.error().rejection.detail;
  return prepared ? std::move(prepared->record) : event::Record();
}

// "422 what is wrong"
std::string Problem(const std::string& rule, event::Event event) {
  const auto prepared = PrepareBy(rule, std::move(event));
  if (prepared) return {};
  const auto& rejection = prepared.error().rejection;
  return std::to_string(StatusOf(rejection.reason)) + " " + rejection.detail;
}

event::Event Envelope(const std::string& members) {
  event::JsonReader json;
  auto event = event::FromEnvelope(json, R"({"type":"a.b",)" + members + "}");
  EXPECT_TRUE(event.has_value()) << members << event.error().message;
  return event.value_or(event::Event());
}

event::Event Structured(const std::string& members) {
  event::JsonReader json;
  auto event = event::FromStructured(json, R"({"specversion":"1.0","type":"a.b")" + members + "}");
  EXPECT_TRUE(event.has_value()) << members << event.error().message;
  return event.value_or(event::Event());
}

std::vector<std::optional<std::string>> ValuesOf(const event::Record& record,
                                                 std::string_view name) {
  std::vector<std::optional<std::string>> values;
  for (const auto& header : record.headers)
    if (header.name == name) values.push_back(header.value);
  return values;
}
using Values = std::vector<std::optional<std::string>>;

// ---- tombstones

TEST(Prepare, WhereTombstonesAreAllowedNullAndNoDataAreANullValueInEveryForm) {
  const std::vector<event::HttpField> fields{{"ce-specversion", "1.0"}, {"ce-type", "a.b"}};
  for (const auto& event :
       {Envelope(R"("key":"k")"), Envelope(R"("key":"k","data":null)"),
        Envelope(R"("data": null )"), Structured(""), Structured(R"(,"data":null)"),
        Structured(R"(,"data":null,"datacontenttype":"application/vnd.a+json")"),
        Structured(R"(,"data_base64":null)"), *event::FromHttpBinary(fields, "", true)}) {
    for (const char* mode : {"binary", "structured"}) {
      const auto record = Record(std::string("tombstones: true, mode: ") + mode, event);
      EXPECT_EQ(record.value, std::nullopt);
      EXPECT_EQ(ValuesOf(record, "ce_type"), Values{"a.b"});
      EXPECT_EQ(ValuesOf(record, "content-type"), Values{});
      EXPECT_EQ(record.key, event.key);
    }
  }
}

// The JavaScript SDK sends every event without data so; this ended the process once.
TEST(Prepare, ATypeOfDataThatIsNotThereIsKeptInTheTombstone) {
  const auto event = event::FromHttpBinary(
      std::vector<event::HttpField>{
          {"ce-specversion", "1.0"}, {"ce-type", "a.b"}, {"content-type", "application/json"}},
      "", true);
  const auto record = Record("tombstones: true", *event);
  EXPECT_EQ(record.value, std::nullopt);
  EXPECT_EQ(ValuesOf(record, "content-type"), Values{"application/json"});
}

TEST(Prepare, WhatIsNoNullIsNoTombstone) {
  for (const auto& event :
       {Envelope(R"("data":"null")"), Envelope(R"("data":{})"), Envelope(R"("data":0)"),
        Structured(R"(,"datacontenttype":"text/plain","data":"null")"),
        Structured(R"(,"data_base64":"")")})
    EXPECT_EQ(Record("tombstones: true", event).value, event.data);
}

TEST(Prepare, WithoutTombstonesNullIsDataAndNoDataIsRefusedWhereItWouldBeANullValue) {
  EXPECT_EQ(Record("", Envelope(R"("data":null)")).value, "null");
  EXPECT_NE(Problem("", Envelope(R"("key":"k")")).find("tombstones: true"), std::string::npos);
  const auto record = Record("mode: structured", Envelope(R"("key":"k")"));
  EXPECT_FALSE(nlohmann::json::parse(*record.value).contains("data"));
}

TEST(Prepare, ATombstoneHasNothingThatASchemaCouldCheck) {
  const std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) / "outrigger-prepare-test/a.b";
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "1.0.json") << R"({"type":"object"})";
  const std::string schemas = "schemas: '" + folder.parent_path().string() + "'";
  EXPECT_EQ(Record(schemas + ", tombstones: true", Envelope(R"("key":"k")")).value, std::nullopt);
  EXPECT_EQ(Record(schemas + ", tombstones: true", Envelope(R"("data":null)")).value, std::nullopt);
  EXPECT_EQ(Problem(schemas + ", tombstones: true", Envelope(R"("data":1)")).substr(0, 3), "422");
  EXPECT_EQ(Problem(schemas + ", mode: structured", Envelope(R"("key":"k")")).substr(0, 3), "422");
}

TEST(Prepare, OfManyErrorsOfASchemaTheFirstAreListedAndTheDetailSaysThatThereAreMore) {
  const std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) / "outrigger-prepare-errors/a.b";
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "1.0.json") << R"({"items":{"type":"string"}})";
  const std::string schemas = "schemas: '" + folder.parent_path().string() + "'";
  const auto numbers = [](int count) {
    std::string data = "\"data\":[0";
    for (int i = 1; i < count; ++i) data += "," + std::to_string(i);
    return Envelope(data + "]");
  };
  EXPECT_EQ(Problem(schemas, numbers(20)).find("there are more"), std::string::npos);
  EXPECT_NE(Problem(schemas, numbers(21)).find("the first 20 errors are listed, there are more"),
            std::string::npos);
  EXPECT_EQ(Problem(schemas, Envelope(R"("data":[{"a":1,"a":2}])")).substr(0, 3), "400");
}

// ---- headers

TEST(Prepare, ARulesHeaderIsAddedWhereTheEventHasNoneOfItsName) {
  const std::string rule = "headers: {tenant: rule, team: '{data.team}'}";
  const auto record = Record(rule, Envelope(R"("headers":{"tenant":"own"},"data":{"team":"red"})"));
  EXPECT_EQ(ValuesOf(record, "tenant"), Values{"own"});
  EXPECT_EQ(ValuesOf(record, "team"), Values{"red"});
  EXPECT_EQ(ValuesOf(Record(rule, Envelope(R"("headers":{"tenant":null,"team":"blue"},"data":1)")),
                     "tenant"),
            Values{std::nullopt});
}

TEST(Prepare, TheRecordHasOneTraceparentAndTheEventsWins) {
  for (const char* mode : {"", ", mode: structured"}) {
    const std::string rule = std::string("headers: {traceparent: 00-rule}") + mode;
    EXPECT_EQ(ValuesOf(Record(rule, Envelope(R"("data":1)")), "traceparent"), Values{"00-rule"});
    EXPECT_EQ(ValuesOf(Record(rule, Envelope(R"("data":1,"headers":{"traceparent":"00-own"})")),
                       "traceparent"),
              Values{"00-own"});
    EXPECT_EQ(
        ValuesOf(Record(rule, Structured(R"(,"traceparent":"00-ext","data":1)")), "traceparent"),
        Values{"00-ext"});
  }
}

// ---- templates

TEST(Prepare, AKeyOfSeveralPartsFallsBackToTheCallersAsOnePartDoes) {
  for (const char* key : {"data.b", "'{data.b}'", "'{data.a}/{data.b}'", "'user-{data.b}'"}) {
    const std::string rule = std::string("key: ") + key;
    EXPECT_EQ(Record(rule, Envelope(R"("key":"mine","data":{"a":1})")).key, "mine") << key;
    EXPECT_EQ(Record(rule, Envelope(R"("key":"mine","data":{"a":1,"b":null})")).key, "mine");
    EXPECT_EQ(Record(rule, Envelope(R"("key":"mine","data":{"a":1,"b":""})")).key, "mine");
    EXPECT_EQ(Record(rule, Structured(R"(,"partitionkey":"pk","data":{"a":1})")).key, "pk");
    EXPECT_EQ(Record(rule, Envelope(R"("data":{"a":1})")).key, std::nullopt);
    EXPECT_NE(
        Problem(rule + ", keyRequired: true", Envelope(R"("data":{"a":1})")).find("requires a key"),
        std::string::npos);
    EXPECT_NE(Problem(rule, Envelope(R"("key":"mine","data":{"a":1,"b":[]})")).find("data.b"),
              std::string::npos);
  }
  EXPECT_EQ(Record("key: '{data.a}/{data.b}'", Envelope(R"("key":"m","data":{"a":1,"b":2})")).key,
            "1/2");
}

TEST(Prepare, ATopicOrHeaderOfSeveralPartsNamesThePartThatIsMissing) {
  for (const auto& [value, missing] : std::initializer_list<std::pair<const char*, const char*>>{
           {"'{data.b}'", "data.b"},
           {"'{data.a}-{data.b}'", "data.b"},
           {"'{extension.own}.{data.a}'", "extension.own"}}) {
    const std::string what = std::string(missing) + " is absent or empty";
    EXPECT_EQ(Problem(std::string("headers: {h: ") + value + "}", Envelope(R"("data":{"a":1})")),
              "422 routes[0].headers.h: " + what);
    auto loaded =
        config::LoadText(std::string("apiVersion: outrigger/v1\nkind: Sidecar\nroutes:\n") +
                             "  - {topic: " + value + "}\n",
                         "test.yaml", [](const char*) { return std::nullopt; });
    const auto routes = Routes::Build(loaded.config, loaded.problems);
    const auto prepared =
        Prepare(routes->rules().front(), Envelope(R"("data":{"a":1})"), base::WallTime());
    ASSERT_FALSE(prepared.has_value());
    EXPECT_EQ(prepared.error().rejection.detail, "routes[0].topic: " + what);
  }
}

// ---- the rest

TEST(Prepare, DefaultsOfAnyNameLeaveTheDataJson) {
  const auto record =
      Record(R"(defaults: {'data.a"b': 1, 'data.c\d': $id, "data.e\tf": {'g"': $$x}})",
             Envelope(R"("id":"i","data":{})"));
  const auto data = nlohmann::json::parse(*record.value);
  EXPECT_EQ(data["a\"b"], 1);
  EXPECT_EQ(data["c\\d"], "i");
  EXPECT_TRUE(data["e\tf"].contains("g\""));
}

TEST(Prepare, TheEventsTimeIsTheRecordsTimestampWhereTheRuleSaysSo) {
  const auto event = Envelope(R"("time":"2026-11-23T20:15:30.250Z","data":1)");
  EXPECT_EQ(Record("", event).timestamp_ms, 0);
  EXPECT_EQ(Record("timestamp: now", event).timestamp_ms, 0);
  EXPECT_EQ(Record("timestamp: time", event).timestamp_ms, 1'795'464'930'250);
  for (const char* time : {"1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z"})
    EXPECT_NE(
        Problem("timestamp: time", Envelope(R"("data":1,"time":")" + std::string(time) + "\""))
            .find(time),
        std::string::npos);
}

TEST(Prepare, ADeadLetterRecordHasTheTimeOfItsOwn) {
  const std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) / "outrigger-prepare-dead-letter-test/a.b";
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "1.0.json") << R"({"type":"object"})";
  const auto prepared =
      PrepareBy("timestamp: time, onInvalid: deadLetter, deadLetter: dead, schemas: '" +
                    folder.parent_path().string() + "'",
                Envelope(R"("time":"2001-01-01T00:00:00Z","data":1)"));
  ASSERT_FALSE(prepared.has_value());
  ASSERT_TRUE(prepared.error().dead_letter.has_value());
  EXPECT_EQ(prepared.error().dead_letter->timestamp_ms, 0);
}

}  // namespace
}  // namespace outrigger::publish
