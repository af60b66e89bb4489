#include "event/regex.h"

#include <gtest/gtest.h>

namespace outrigger::event {
namespace {

TEST(RegexTest, TakesWhatEcmaScriptWritesOtherwise) {
  for (const auto& [pattern, text] : {std::pair("^\\u0061+$", "aaa"),
                                      {"^\\u{1F600}$", "\xF0\x9F\x98\x80"},
                                      {"^\\p{Letter}+$", "\xC3\xA9"},
                                      {"^\\p{Lu}$", "A"},
                                      {"^[\\p{Letter}\\d]+$", "a1"},
                                      {"^(?<year>\\d{4})$", "2026"},
                                      {"\\cJ", "\n"},
                                      {"^\\/a$", "/a"},
                                      {"b", "abc"},
                                      {"\\\\u0061", "\\u0061"}}) {
    const Regex regex(pattern);
    EXPECT_EQ(regex.Problem(), "") << pattern;
    EXPECT_TRUE(regex.Matches(text)) << pattern;
    EXPECT_FALSE(regex.Matches("?")) << pattern;
  }
  for (const char* pattern : {"(", "a(?=b)", "(?<=a)b", "(a)\\1", "\\p{Nothing}"})
    EXPECT_NE(Regex(pattern).Problem(), "") << pattern;
}

TEST(RegexTest, CostsMoreForMoreText) {
  const Regex regex("^a+$");
  EXPECT_GT(regex.Cost(std::string(10'000, 'a')), regex.Cost("a"));
}

}  // namespace
}  // namespace outrigger::event
