#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "support/config_text.h"

namespace outrigger::config {
namespace {

using test::kGoodFile;
using test::kHeader;
using test::LoadBetween;
using test::LoadYaml;
using test::Shown;
using testing::HasSubstr;

void ExpectError(const std::string& yaml, const std::string& expected) {
  const Loaded loaded = LoadYaml(yaml);
  EXPECT_FALSE(loaded.ok()) << yaml;
  EXPECT_THAT(Shown(loaded), HasSubstr(expected)) << yaml;
}

TEST(Yaml, ADuplicateNameIsAnErrorThatShowsTheFirst) {
  ExpectError(kHeader + "log: {}\nlog: {}\n", "c.yaml:4:1: log: the name `log` appears twice");
  ExpectError(kHeader + "log: {}\nlog: {}\n", "it is on line 3 already");
  ExpectError(kHeader + "log: {level: info, \"level\": info}\n", "the name `level` appears twice");
  std::string many = kHeader + "kafka:\n  properties:\n";
  for (int i = 0; i < 40; ++i) many += "    p" + std::to_string(i) + ": x\n";
  ExpectError(many + "    p33: x\n", "the name `p33` appears twice");
}

TEST(Yaml, AMergeKeyIsAnError) {
  ExpectError(kHeader + "log: &l {level: info}\nops:\n  <<: *l\n", "c.yaml:5:3");
  ExpectError(kHeader + "log: &l {level: info}\nops:\n  <<: *l\n",
              "merge keys (`<<`) are not supported");
}

TEST(Yaml, ASecondDocumentIsAnError) {
  ExpectError(kGoodFile + "---\n" + kGoodFile, "a second document starts here");
  ExpectError(kGoodFile + "...\n---\na: b\n", "a second document starts here");
}

TEST(Yaml, NothingBehindADirectiveIsLost) {
  for (const char* directive : {"%a\n", "%YAML 1.2\n", "%TAG ! a\n", "...\n"}) {
    EXPECT_FALSE(LoadYaml(kHeader + directive + "unknown: 1\n").ok()) << directive;
    EXPECT_FALSE(LoadYaml(kHeader + directive + "---\nunknown: 1\n").ok()) << directive;
  }
}

TEST(Yaml, AnUnterminatedQuoteIsAnErrorWhereItOpens) {
  ExpectError(kHeader + "log: {level: \"info}\n", "c.yaml:3:14");
  ExpectError(kHeader + "log:\n  level: \"info\n", "the quote that opens here is never closed");
  ExpectError(kHeader + "log:\n  level: 'it''s\n", "the quote that opens here is never closed");
  ExpectError(kHeader + "log:\n  level: \"a\\\"\n", "the quote that opens here is never closed");
}

TEST(Yaml, WhatIsNotUtf8OrAControlCharacterIsAnErrorWithItsPlace) {
  ExpectError(kHeader + "log: \xff\n", "c.yaml:3:6: is not UTF-8");
  for (const char* bytes : {"\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\x80"})
    ExpectError(kHeader + "# " + bytes + "\n", "is not UTF-8");
  ExpectError(kHeader + "log: a\x01\n", "the control character U+0001");
  ExpectError(kHeader + std::string("a\0b", 3) + ": 1\n", "U+0000");
}

TEST(Yaml, AByteOrderMarkIsTaken) { EXPECT_TRUE(LoadYaml("\xEF\xBB\xBF" + kGoodFile).ok()); }

TEST(Yaml, WindowsLineEndsAreTaken) {
  std::string yaml;
  for (const char c : kGoodFile) yaml += c == '\n' ? std::string("\r\n") : std::string(1, c);
  const Loaded loaded = LoadYaml(yaml);
  EXPECT_TRUE(loaded.ok()) << Shown(loaded);
}

TEST(Yaml, ABillionLaughsAreAnErrorAndNoMemory) {
  std::string yaml = kHeader + "a: &a [x, x, x, x, x, x, x, x, x, x]\n";
  for (char c = 'b'; c <= 'j'; ++c) {
    const std::string before = std::string("*") + static_cast<char>(c - 1);
    yaml += std::string(1, c) + ": &" + c + " [";
    for (int i = 0; i < 10; ++i) yaml += (i > 0 ? ", " : "") + before;
    yaml += "]\n";
  }
  ExpectError(yaml, "has more than 1,000,000 values");
}

TEST(Yaml, AnAliasInsideItselfIsAnError) {
  ExpectError("&a [*a]\n", "the alias is inside what it names");
  ExpectError(kHeader + "log: &a {level: *a}\n", "the alias is inside what it names");
  ExpectError(kHeader + "log: &a\n  b: &b\n    c: [*b, *a]\n", "the alias is inside");
}

TEST(Yaml, AnAliasOfNothingIsAnError) { EXPECT_FALSE(LoadYaml(kHeader + "log: *none\n").ok()); }

TEST(Yaml, AnAliasIsItsValue) {
  const Loaded loaded = LoadBetween("http: {listen: &l \"127.0.0.1:0\"}\nops: {listen: *l}\n");
  ASSERT_TRUE(loaded.ok()) << Shown(loaded);
  EXPECT_EQ(loaded.config.ops.listen, "127.0.0.1:0");
}

TEST(Yaml, DeeperThan64IsAnErrorHoweverItIsWritten) {
  ExpectError(kHeader + "a: " + std::string(70, '[') + std::string(70, ']') + "\n",
              "more than 64 deep");
  std::string block = kHeader;
  for (int i = 0; i < 70; ++i) block += std::string(static_cast<size_t>(i), ' ') + "a:\n";
  ExpectError(block, "more than 64 deep");
  std::string aliases = kHeader + "a0: &a0 " + std::string(40, '[') + std::string(40, ']') + "\n";
  aliases += "a1: " + std::string(40, '[') + "*a0" + std::string(40, ']') + "\n";
  ExpectError(aliases, "more than 64 deep");
}

TEST(Yaml, AMillionOpenBracketsAreAnErrorSoon) {
  for (const char* piece : {"[", "{", "- ", "? ", "[a, ", "{a: ", "!!a ", "&a "}) {
    std::string yaml = kHeader + "a: ";
    while (yaml.size() < (1U << 20)) yaml += piece;
    EXPECT_FALSE(LoadYaml(yaml).ok()) << piece;
  }
}

TEST(Yaml, LargerThan4MiBIsAnError) {
  ExpectError(kGoodFile + "#" + std::string(5 << 20, 'x'), "is larger than 4 MiB");
}

TEST(Yaml, NamesAreTexts) {
  ExpectError(kHeader + "[a]: 1\n", "a name must be a text");
  ExpectError(kHeader + "{a: b}: 1\n", "a name must be a text");
  ExpectError(kHeader + "log: &l info\n*l : 1\n", "a name can't be an alias");
  ExpectError(kHeader + ": 1\n", "a name is missing");
}

TEST(Yaml, TagsAreErrors) {
  ExpectError(kHeader + "log: {level: !!binary aW5mbw==}\n", "the YAML tag");
  ExpectError(kHeader + "log: !python/object {}\n", "the YAML tag");
  EXPECT_TRUE(LoadBetween("log: {level: !!str info}\n").ok());
}

TEST(Yaml, WhatIsNoYamlIsAnErrorWithAPlace) {
  for (const char* text :
       {"log: {level: info\n", "log: [\n", "\tlog: {}\n", "log: {}}\n", "a: b: c\n", "log: |bad\n",
        "@a: b\n", "log:\n  - a\n b: c\n", "\"a\\q\": 1\n"}) {
    const Loaded loaded = LoadYaml(kHeader + text);
    ASSERT_FALSE(loaded.ok()) << text;
    EXPECT_GT(loaded.problems.front().place.line, 0) << text << Shown(loaded);
  }
}

// Each is answered: the file is good, or an error says where it isn't.
TEST(Yaml, FiftyMutationsOfAGoodFileAreEachGoodOrHaveAnErrorWithAPlace) {
  std::mt19937 random(20261123);
  const std::string bits =
      "{}[]:,\"'&*#-?|>!%@`\n\t \\\x01\xff"
      "0aZ";
  for (int i = 0; i < 50; ++i) {
    std::string yaml = kGoodFile;
    for (int change = 0; change <= i % 3; ++change) {
      const size_t at = random() % yaml.size();
      switch (random() % 4) {
        case 0:
          yaml[at] = bits[random() % bits.size()];
          break;
        case 1:
          yaml.erase(at, 1 + random() % 20);
          break;
        case 2:
          yaml.insert(at, 1, bits[random() % bits.size()]);
          break;
        default:
          yaml.insert(at, yaml.substr(random() % yaml.size(), random() % 40));
          break;
      }
    }
    const Loaded loaded = LoadYaml(yaml);
    if (loaded.ok()) continue;
    bool placed = false;
    for (const auto& problem : loaded.problems) {
      EXPECT_FALSE(problem.message.empty());
      placed = placed || problem.place.line > 0;
    }
    EXPECT_TRUE(placed) << i << "\n" << yaml << Shown(loaded);
  }
}

}  // namespace
}  // namespace outrigger::config
