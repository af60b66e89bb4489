#include "event/template.h"

#include <gtest/gtest.h>

namespace outrigger::event {
namespace {

config::Text Text(std::string value) {
  return {std::move(value), {"rules.yaml", 4, 7}, "routes[0].topic"};
}

Event Registered() {
  Event event;
  event.id = "i-1";
  event.type = "user.registered.v2";
  event.source = "/lms";
  event.subject = "u";
  event.version = "2.0";
  event.key = "k";
  event.headers = {{"tenant", "blue"}, {"null", std::nullopt}};
  event.extensions = {{"region", "eu"}};
  event.data = R"({"userId":42,"price":1.50e1,"ok":false,"name":"\u00e9","a":{"b":"c"},"list":[1],)"
               R"("z":null,"empty":"","x":1,"x":2})";
  event.data_is_json = true;
  return event;
}

std::string Rendered(const std::string& text, const Event& event = Registered()) {
  std::vector<config::Problem> problems;
  const Template compiled = Template::Compile(Text(text), problems);
  EXPECT_TRUE(problems.empty()) << text;
  Data data(event);
  auto rendered = compiled.Render(event, data);
  return rendered ? *rendered : "wrong: " + rendered.error().message;
}

base::Result<std::optional<std::string>> Key(const std::string& text,
                                             const Event& event = Registered()) {
  std::vector<config::Problem> problems;
  const KeyRule rule = KeyRule::Compile(Text(text), problems);
  EXPECT_TRUE(problems.empty()) << text;
  Data data(event);
  return rule.Key(event, data);
}

std::vector<config::Problem> Problems(const std::string& text) {
  std::vector<config::Problem> problems;
  Template::Compile(Text(text), problems);
  return problems;
}

TEST(Template, FillsEveryPlaceholder) {
  EXPECT_EQ(Rendered("{type}|{type.first}|{source}|{subject}|{version}|{id}|{key}"),
            "user.registered.v2|user|/lms|u|2.0|i-1|k");
  EXPECT_EQ(Rendered("{header.tenant}.{data.name}.{data.a.b}"), "blue.\xC3\xA9.c");
  EXPECT_EQ(Rendered("{extension.region}.{extension.version}"), "eu.2.0");
}

TEST(Template, ANumberOrBooleanIsItsRawToken) {
  EXPECT_EQ(Rendered("{data.userId}.{data.price}.{data.ok}"), "42.1.50e1.false");
}

TEST(Template, DoubledBracesAreBraces) {
  EXPECT_EQ(Rendered("{{type}}"), "{type}");
  EXPECT_EQ(Rendered("{{{type.first}}}"), "{user}");
  EXPECT_EQ(Rendered("a{{}}b"), "a{}b");
}

TEST(Template, WithoutPlaceholdersItIsConstant) {
  std::vector<config::Problem> problems;
  EXPECT_TRUE(Template::Compile(Text("user.events"), problems).constant());
  EXPECT_TRUE(Template::Compile(Text("{{a}}"), problems).constant());
  EXPECT_FALSE(Template::Compile(Text("{type}"), problems).constant());
  EXPECT_FALSE(Template::Compile(Text("{type}.events"), problems).constant());
  EXPECT_EQ(Template::Compile(Text("{type}.events"), problems).text(), "{type}.events");
  EXPECT_EQ(Rendered("user.events"), "user.events");
  EXPECT_EQ(Rendered(""), "");
}

TEST(Template, AMissingOrEmptyPartIsAnErrorThatNamesIt) {
  for (const char* place : {"data.nothing", "data.z", "data.empty", "data.a.nothing", "data.name.x",
                            "header.nothing", "header.null", "extension.nothing"}) {
    const std::string rendered = Rendered("a.{" + std::string(place) + "}");
    EXPECT_EQ(rendered, "wrong: " + std::string(place) + " is absent or empty");
  }
  Event event = Registered();
  event.subject.clear();
  event.key.reset();
  EXPECT_EQ(Rendered("{subject}", event), "wrong: subject is absent or empty");
  EXPECT_EQ(Rendered("{key}", event), "wrong: key is absent or empty");
}

TEST(Template, AnObjectOrArrayIsAnErrorThatNamesIt) {
  for (const char* place : {"data.a", "data.list"})
    EXPECT_EQ(Rendered("{" + std::string(place) + "}"),
              "wrong: " + std::string(place) + " is an object or array, and a text is needed");
}

TEST(Template, ARepeatedNameWhereItReadsIsAnError) {
  EXPECT_NE(Rendered("{data.x}").find("appears twice"), std::string::npos);
}

TEST(Template, DataThatIsNotJsonHasNoParts) {
  Event event = Registered();
  event.data_is_json = false;
  EXPECT_EQ(Rendered("{data.userId}", event), "wrong: data.userId is absent or empty");
}

TEST(Template, AnUnknownPlaceholderIsAProblemWithTheKnownOnes) {
  for (const char* text :
       {"{}", "{nothing}", "{data}", "{data.}", "{header.}", "{extension}", "{extension.}",
        "{extension.Own}", "{Type}", "{type", "a{", "{ type }", "{time}"}) {
    const auto problems = Problems(text);
    ASSERT_EQ(problems.size(), 1U) << text;
    EXPECT_NE(problems[0].hint.find("{data.<path>}"), std::string::npos) << text;
    EXPECT_EQ(problems[0].place.line, 4);
    EXPECT_EQ(problems[0].path, "routes[0].topic");
  }
  for (const char* text : {"}", "a}b", "{type}}"}) EXPECT_EQ(Problems(text).size(), 1U) << text;
}

TEST(KeyRule, APlaceholderWithoutBracesOrATemplateGivesTheKey) {
  EXPECT_EQ(**Key("data.name"), "\xC3\xA9");
  EXPECT_EQ(**Key("subject"), "u");
  EXPECT_EQ(**Key("header.tenant"), "blue");
  EXPECT_EQ(**Key("{data.a.b}"), "c");
  EXPECT_EQ(**Key("{header.tenant}-{data.userId}"), "blue-42");
  EXPECT_EQ(**Key("extension.region"), "eu");
}

TEST(KeyRule, ANumberOrBooleanIsItsRawToken) {
  EXPECT_EQ(**Key("data.userId"), "42");
  EXPECT_EQ(**Key("data.price"), "1.50e1");
  EXPECT_EQ(**Key("data.ok"), "false");
}

TEST(KeyRule, APartThatIsAbsentNullOrEmptyIsNoKey) {
  for (const char* place :
       {"data.nothing", "data.z", "data.empty", "header.nothing", "header.null",
        "extension.nothing", "{data.userId}/{data.nothing}", "{data.nothing}/{data.userId}",
        "{data.z}-{data.empty}", "user-{header.nothing}", "{data.userId}{data.empty}"}) {
    const auto key = Key(place);
    ASSERT_TRUE(key.has_value()) << place;
    EXPECT_EQ(*key, std::nullopt) << place;
  }
}

TEST(KeyRule, AnObjectArrayOrRepeatedNameIsAnError) {
  for (const char* place :
       {"data.a", "data.list", "data.x", "{header.tenant}-{data.a}", "{data.nothing}-{data.a}",
        "{data.list}{data.nothing}", "{data.nothing}/{data.x}"})
    EXPECT_FALSE(Key(place).has_value()) << place;
}

TEST(KeyRule, AnUnknownPlaceholderIsAProblem) {
  for (const char* text : {"", "nothing", "data", "data.", "{nothing}"}) {
    std::vector<config::Problem> problems;
    KeyRule::Compile(Text(text), problems);
    EXPECT_EQ(problems.size(), 1U) << text;
  }
}

}  // namespace
}  // namespace outrigger::event
