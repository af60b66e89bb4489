#include <gtest/gtest.h>

#include "event/cloudevents.h"

namespace outrigger::event {
namespace {

using Fields = std::vector<HttpField>;

std::string Problem(const Fields& fields, bool required = true) {
  auto event = FromHttpBinary(fields, "{}", required);
  return event ? std::string() : event.error().message;
}

TEST(HttpBinary, MapsEveryHeaderToItsAttribute) {
  const auto event = FromHttpBinary(Fields{{"host", "localhost"},
                                           {"ce-specversion", "1.0"},
                                           {"ce-type", "user.registered"},
                                           {"ce-id", "1"},
                                           {"ce-source", "/s"},
                                           {"ce-subject", "u"},
                                           {"ce-time", "2026-11-23T20:15:30Z"},
                                           {"ce-dataschema", "urn:a"},
                                           {"ce-version", "2"},
                                           {"ce-partitionkey", "p"},
                                           {"ce-traceparent", "00-1"},
                                           {"content-type", "application/json; charset=utf-8"}},
                                    " { \"n\" : 1.0 } ", true);
  ASSERT_TRUE(event.has_value()) << event.error().message;
  EXPECT_EQ(event->type, "user.registered");
  EXPECT_EQ(event->id, "1");
  EXPECT_EQ(event->source, "/s");
  EXPECT_EQ(event->subject, "u");
  EXPECT_EQ(event->time, "2026-11-23T20:15:30Z");
  EXPECT_EQ(event->dataschema, "urn:a");
  EXPECT_EQ(event->version, "2");
  EXPECT_EQ(event->datacontenttype, "application/json; charset=utf-8");
  EXPECT_EQ(event->extensions, (std::vector<std::pair<std::string, std::string>>{
                                   {"partitionkey", "p"}, {"traceparent", "00-1"}}));
  EXPECT_EQ(event->data, " { \"n\" : 1.0 } ");
  EXPECT_TRUE(event->data_is_json);
  EXPECT_TRUE(event->headers.empty());
  EXPECT_FALSE(event->key.has_value());
}

TEST(HttpBinary, AnyContentTypeIsDataAsItIs) {
  const std::string bytes("\x00\xFF{\"", 4);
  const auto event = FromHttpBinary(
      Fields{{"ce-specversion", "1.0"}, {"ce-type", "t"}, {"content-type", "image/png"}}, bytes,
      true);
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->data, bytes);
  EXPECT_FALSE(event->data_is_json);
}

TEST(HttpBinary, ABodyOfNoBytesIsNoData) {
  const auto event = FromHttpBinary(
      Fields{{"ce-specversion", "1.0"}, {"ce-type", "t"}, {"content-type", "application/json"}}, "",
      true);
  ASSERT_TRUE(event.has_value());
  EXPECT_FALSE(event->data.has_value());
  EXPECT_FALSE(event->data_is_json);
}

TEST(HttpBinary, TypeAndSpecversionAreNeededWhereTheyAreRequired) {
  EXPECT_EQ(Problem({{"ce-specversion", "1.0"}, {"ce-type", "t"}}), "");
  EXPECT_NE(Problem({{"ce-specversion", "1.0"}}).find("ce-type"), std::string::npos);
  EXPECT_NE(Problem({{"ce-type", "t"}}).find("ce-specversion"), std::string::npos);
  EXPECT_EQ(Problem({}, false), "");
  EXPECT_EQ(Problem({{"ce-id", "1"}}, false), "");
  EXPECT_NE(Problem({{"ce-specversion", "0.3"}}, false).find("0.3"), std::string::npos);
}

TEST(HttpBinary, DecodesPercentOnceAndLeavesWhatIsNoEscape) {
  const auto event = FromHttpBinary(
      Fields{{"ce-subject", "a%20%C3%A9%2541%22"}, {"ce-source", "100%"}, {"ce-id", "%4%zz%4"}}, "",
      false);
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->subject, "a \xC3\xA9%41\"");
  EXPECT_EQ(event->source, "100%");
  EXPECT_EQ(event->id, "%4%zz%4");
}

TEST(HttpBinary, AQuotedStringLosesItsQuotesAndBackslashesBeforeItIsPercentDecoded) {
  for (const auto& [sent, meant] : std::initializer_list<std::pair<const char*, const char*>>{
           {R"("hello world")", "hello world"},
           {R"("say \"hi\"")", R"(say "hi")"},
           {R"("back\\slash \a")", R"(back\slash a)"},
           {R"("caf%C3%A9 %22")", "caf\xC3\xA9 \""},
           {R"("a\%41")", "aA"},
           {R"("100%")", "100%"},
           {R"("a, b")", "a, b"},
           // No quoted string as a whole.
           {R"(a "b" c)", R"(a "b" c)"},
           {R"("a" "b")", R"("a" "b")"},
           {R"("open)", R"("open)"},
           {R"("open\")", R"("open\")"},
           {R"(5")", R"(5")"},
           {R"(")", R"(")"},
           {R"(back\slash)", R"(back\slash)"},
           {R"(%22quoted%22)", R"("quoted")"}}) {
    const auto event = FromHttpBinary(Fields{{"ce-subject", sent}}, "", false);
    ASSERT_TRUE(event.has_value()) << sent;
    EXPECT_EQ(event->subject, meant) << sent;
  }
}

TEST(HttpBinary, EveryAttributeMayBeAQuotedString) {
  const auto event = FromHttpBinary(Fields{{"ce-specversion", "\"1.0\""},
                                           {"ce-id", "\"1\""},
                                           {"ce-source", "\"/s\""},
                                           {"ce-type", "\"a.b\""},
                                           {"ce-time", "\"2018-04-05T03:56:24Z\""},
                                           {"ce-dataschema", "\"urn:a\""},
                                           {"ce-own", "\"x y\""}},
                                    "", true);
  ASSERT_TRUE(event.has_value()) << event.error().message;
  EXPECT_EQ(event->id + event->source + event->type + event->dataschema, "1/sa.burn:a");
  EXPECT_EQ(event->time, "2018-04-05T03:56:24Z");
  EXPECT_EQ(event->Extension("own"), "x y");
  EXPECT_TRUE(CheckAttributes(*event).has_value());
}

TEST(HttpBinary, KeepsBytesThatAreNotUtf8) {
  const auto event =
      FromHttpBinary(Fields{{"ce-subject", "\xE9t\xE9"}, {"ce-own", "%FF"}}, "", false);
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->subject, "\xE9t\xE9");
  EXPECT_EQ(event->Extension("own"), "\xFF");
}

TEST(HttpBinary, RefusesNamesThatAreNoAttributesAndEmptyValues) {
  for (const auto& field : Fields{{"ce-", "a"},
                                  {"ce-a-b", "a"},
                                  {"ce-a_b", "a"},
                                  {"ce-datacontenttype", "a/b"},
                                  {"ce-data", "a"},
                                  {"ce-subject", ""},
                                  {"ce-subject", "\"\""},
                                  {"ce-own", ""}})
    EXPECT_NE(Problem({field}, false).find(field.name), std::string::npos) << field.name;
}

TEST(HttpBinary, RefusesARepeatedAttribute) {
  for (const auto* name : {"ce-id", "ce-type", "ce-specversion", "ce-own"})
    EXPECT_NE(Problem({{name, "1.0"}, {name, "1.0"}}, false).find(name), std::string::npos) << name;
}

}  // namespace
}  // namespace outrigger::event
