#include "event/match.h"

#include <gtest/gtest.h>

#include "event/path.h"

namespace outrigger::event {
namespace {

config::Text Text(std::string value) {
  return {std::move(value), {"rules.yaml", 4, 7}, "routes[0].match"};
}

// The conditions as a rule has them: "type", "header.tenant", "data.plan".
config::Match When(const std::vector<std::pair<std::string, std::string>>& conditions) {
  config::Match match;
  for (const auto& [name, glob] : conditions) {
    if (name == "type") match.type = Text(glob);
    if (name == "source") match.source = Text(glob);
    if (name == "subject") match.subject = Text(glob);
    if (name == "version") match.version = Text(glob);
    if (name.starts_with("header.")) match.headers.emplace_back(name.substr(7), Text(glob));
    if (name.starts_with("extension.")) match.extensions.emplace_back(name.substr(10), Text(glob));
    if (name.starts_with("data.")) match.data.emplace_back(name.substr(5), Text(glob));
  }
  return match;
}

Match Compiled(const config::Match& from) {
  std::vector<config::Problem> problems;
  Match match = Match::Compile(from, problems);
  EXPECT_TRUE(problems.empty());
  return match;
}

Event Registered() {
  Event event;
  event.type = "user.registered";
  event.source = "/lms";
  event.version = "2.0";
  event.headers = {{"tenant", std::nullopt}, {"tenant", "blue"}, {"tenant", "red"}};
  event.extensions = {{"region", "eu-1"}};
  event.data = R"({"plan":"gold","n":42,"t":true,"address":{"city":"Oslo"},"z":null,"x":1,"x":2})";
  event.data_is_json = true;
  return event;
}

bool Matches(const config::Match& from, const Event& event = Registered()) {
  Data data(event);
  const auto matches = Compiled(from).Matches(event, data);
  EXPECT_TRUE(matches.has_value());
  return matches.value_or(false);
}

TEST(Glob, AStarIsAnyRunAndCrossesDots) {
  EXPECT_TRUE(GlobMatches("user.*", "user.a.b"));
  EXPECT_TRUE(GlobMatches("user.*", "user."));
  EXPECT_FALSE(GlobMatches("user.*", "user"));
  EXPECT_TRUE(GlobMatches("*", ""));
  EXPECT_TRUE(GlobMatches("*.b", "a.a.b"));
  EXPECT_TRUE(GlobMatches("a*c*e", "abcde"));
  EXPECT_TRUE(GlobMatches("**", "ab"));
  EXPECT_FALSE(GlobMatches("a*c", "abcd"));
  EXPECT_TRUE(GlobMatches("*ab", "aab"));
}

TEST(Glob, AQuestionMarkIsOneCharacter) {
  EXPECT_TRUE(GlobMatches("a?c", "abc"));
  EXPECT_TRUE(GlobMatches("a?c", "a.c"));
  EXPECT_FALSE(GlobMatches("a?c", "ac"));
  EXPECT_FALSE(GlobMatches("a?c", "abbc"));
  EXPECT_FALSE(GlobMatches("?", ""));
  EXPECT_TRUE(GlobMatches("*?", "a"));
  EXPECT_FALSE(GlobMatches("*?", ""));
}

TEST(Glob, ACharacterMayHaveSeveralBytes) {
  EXPECT_TRUE(GlobMatches("caf?", "caf\xC3\xA9"));
  EXPECT_TRUE(GlobMatches("?", "\xF0\x9F\x98\x80"));
  EXPECT_FALSE(GlobMatches("??", "\xC3\xA9"));
  EXPECT_FALSE(GlobMatches("*??", "\xC3\xA9"));
  EXPECT_TRUE(GlobMatches("*?b",
                          "\xC3\xA9\xC3\xA9"
                          "b"));
}

TEST(Glob, HasNoOtherSpecialCharacters) {
  EXPECT_TRUE(GlobMatches("a[b]", "a[b]"));
  EXPECT_FALSE(GlobMatches("a[b]", "ab"));
  EXPECT_FALSE(GlobMatches("a.c", "abc"));
  EXPECT_TRUE(GlobMatches("a\\*", "a\\b"));
  EXPECT_FALSE(GlobMatches("A", "a"));
}

TEST(Glob, ManyStarsDoNotExplode) {
  std::string glob;
  for (int i = 0; i < 50; ++i) glob += "a*";
  EXPECT_FALSE(GlobMatches(glob + "b", std::string(5'000, 'a')));
}

TEST(Match, LooksAtEachPlace) {
  EXPECT_TRUE(Matches({}));
  EXPECT_TRUE(Matches(When({{"type", "user.*"}})));
  EXPECT_FALSE(Matches(When({{"type", "order.*"}})));
  EXPECT_TRUE(Matches(When({{"source", "/l?s"}})));
  EXPECT_TRUE(Matches(When({{"version", "2.*"}})));
  EXPECT_FALSE(Matches(When({{"subject", "a*"}})));
  EXPECT_TRUE(Matches(When({{"header.tenant", "blue"}})));
  EXPECT_FALSE(Matches(When({{"header.Tenant", "blue"}})));
  EXPECT_FALSE(Matches(When({{"header.region", "*"}})));
  EXPECT_TRUE(Matches(When({{"extension.region", "eu-?"}, {"extension.version", "2.0"}})));
  EXPECT_FALSE(Matches(When({{"extension.region", "us-?"}})));
  EXPECT_FALSE(Matches(When({{"extension.tenant", "*"}})));
  EXPECT_TRUE(Matches(When({{"data.plan", "g*"}})));
  EXPECT_TRUE(Matches(When({{"data.address.city", "Oslo"}})));
  EXPECT_TRUE(Matches(When({{"data.n", "42"}, {"data.t", "true"}})));
}

TEST(Match, AllConditionsMustHold) {
  EXPECT_FALSE(Matches(When({{"type", "user.*"}, {"data.plan", "silver"}})));
  EXPECT_TRUE(Matches(When({{"type", "user.*"}, {"data.plan", "gold"}})));
}

TEST(Match, WhatIsAbsentNullOrNestedHasNoTextToMatch) {
  for (const char* path : {"nothing", "address", "z", "plan.x", "address.nothing"})
    EXPECT_FALSE(Matches(When({{"data." + std::string(path), "*"}}))) << path;
}

TEST(Match, DataThatIsNotJsonHasNoPaths) {
  Event event = Registered();
  event.data_is_json = false;
  EXPECT_FALSE(Matches(When({{"data.plan", "gold"}}), event));
  event.data.reset();
  EXPECT_FALSE(Matches(When({{"data.plan", "gold"}}), event));
}

TEST(Match, ARepeatedNameIsAnErrorOnlyWhereTheRuleReads) {
  const Event event = Registered();
  Data data(event);
  EXPECT_FALSE(Compiled(When({{"data.x", "1"}})).Matches(event, data).has_value());
  EXPECT_TRUE(Compiled(When({{"data.n", "42"}})).Matches(event, data).has_value());
}

TEST(Match, AConditionThatFailsDecidesWhereAnotherCantBeRead) {
  Event event = Registered();
  event.data = R"({"a":1,"a":2,"b":"x"})";
  event.data_is_json = true;
  Data strict(event);
  EXPECT_FALSE(Compiled(When({{"data.a", "*"}, {"data.b", "x"}})).Matches(event, strict));
  EXPECT_EQ(Compiled(When({{"data.a", "*"}, {"data.b", "y"}})).Matches(event, strict), false);
}

TEST(Match, OfAConsumedEventTheLastOfRepeatedNamesCounts) {
  Event event = Registered();
  event.data = R"({"a":{"b":1},"a":{"c":2},"d":1,"d":"x"})";
  event.data_is_json = true;
  auto data = Data::Consumed(event, {});
  EXPECT_EQ(Compiled(When({{"data.d", "x"}})).Matches(event, data), true);
  EXPECT_EQ(Compiled(When({{"data.a.c", "2"}})).Matches(event, data), true);
  EXPECT_EQ(Compiled(When({{"data.a.b", "*"}})).Matches(event, data), false);
}

TEST(Match, DataThatIsBrokenIsAnErrorOnlyWhereARuleReadsIt) {
  Event event = Registered();
  auto data = Data::Consumed(event, "broken");
  EXPECT_EQ(Compiled(When({{"type", "user.*"}})).Matches(event, data), true);
  EXPECT_EQ(Compiled(When({{"type", "x"}, {"data.a", "*"}})).Matches(event, data), false);
  const auto unknown = Compiled(When({{"type", "user.*"}, {"data.a", "*"}})).Matches(event, data);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().message, "broken");
}

TEST(Match, AnEventReadInPartIsExcludedByWhatIsKnown) {
  Event event;
  event.type = "audit.made";
  event.headers = {{"tenant", "blue"}};
  auto data = Data::Consumed(event, "broken");
  const auto excluded = [&](const std::vector<std::pair<std::string, std::string>>& conditions) {
    return Compiled(When(conditions)).Excludes(event, data);
  };
  EXPECT_TRUE(excluded({{"type", "user.*"}}));
  EXPECT_TRUE(excluded({{"type", "audit.*"}, {"header.tenant", "red"}}));
  EXPECT_TRUE(excluded({{"header.none", "*"}})) << "all headers are known";
  EXPECT_FALSE(excluded({{"type", "audit.*"}}));
  EXPECT_FALSE(excluded({{"source", "/lms"}, {"data.a", "x"}})) << "neither is known";
  EXPECT_FALSE(excluded({}));
}

TEST(Match, WhyNotNamesTheFirstConditionThatFails) {
  const Event event = Registered();
  Data data(event);
  EXPECT_EQ(*Compiled(When({{"type", "user.*"}})).WhyNot(event, data), "");
  EXPECT_EQ(*Compiled(When({{"type", "order.*"}})).WhyNot(event, data),
            R"(type is "user.registered", not "order.*")");
  EXPECT_EQ(*Compiled(When({{"data.plan", "silver"}})).WhyNot(event, data),
            R"(data.plan is "gold", not "silver")");
  EXPECT_EQ(*Compiled(When({{"header.nothing", "a"}})).WhyNot(event, data),
            R"(header.nothing is absent, not "a")");
  EXPECT_EQ(*Compiled(When({{"extension.region", "a"}})).WhyNot(event, data),
            R"(extension.region is "eu-1", not "a")");
}

TEST(Match, AnEmptyPatternIsAProblemAtItsPlace) {
  std::vector<config::Problem> problems;
  Match::Compile(When({{"type", ""}}), problems);
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0].place.line, 4);
  EXPECT_EQ(problems[0].path, "routes[0].match");
}

TEST(Match, AnExtensionThatNoEventCanHaveIsAProblemAtItsPlace) {
  for (const char* name : {"Tenant", "tenant-id", "a_b", "a.b"}) {
    std::vector<config::Problem> problems;
    Match::Compile(When({{std::string("extension.") + name, "*"}}), problems);
    ASSERT_EQ(problems.size(), 1U) << name;
    EXPECT_EQ(problems[0].place.line, 4);
  }
}

TEST(Match, TheShapeOfItsTypeIsExactAPrefixOrNeither) {
  EXPECT_EQ(Compiled(When({{"type", "a.b"}})).type_shape().exact, "a.b");
  EXPECT_EQ(Compiled(When({{"type", "a.*"}})).type_shape().prefix, "a.");
  EXPECT_EQ(Compiled(When({{"type", "*"}})).type_shape().prefix, "");
  for (const auto& from : {When({{"type", "a.*.c"}}), When({{"type", "a?"}}), When({})}) {
    const auto shape = Compiled(from).type_shape();
    EXPECT_FALSE(shape.exact || shape.prefix);
  }
}

TEST(Path, SplitsAtDots) {
  EXPECT_EQ(SplitPath("a"), (JsonPath{"a"}));
  EXPECT_EQ(SplitPath("a.b.c"), (JsonPath{"a", "b", "c"}));
}

}  // namespace
}  // namespace outrigger::event
