#include "base/json_text.h"

#include <gtest/gtest.h>

namespace outrigger::base {
namespace {

TEST(Excerpt, IsTheTextWhereItIsShortAndElseItsBeginning) {
  EXPECT_EQ(Excerpt("", 3), "");
  EXPECT_EQ(Excerpt("abc", 3), "abc");
  EXPECT_EQ(Excerpt("abcd", 3), "abc…");
  EXPECT_EQ(Excerpt(std::string(1000, 'x')), std::string(200, 'x') + "…");
}

TEST(Excerpt, IsCutBetweenTwoCharacters) {
  for (const std::string character : {"é", "€", "😀"})
    for (size_t most = 0; most <= character.size(); ++most) {
      const std::string text = "a" + character + "b";
      EXPECT_EQ(Excerpt(text, 1 + most),
                most == character.size() ? "a" + character + "…" : std::string("a…"))
          << most;
    }
}

TEST(Excerpt, OfBytesThatAreNoTextEndsAllTheSame) {
  EXPECT_EQ(Excerpt(std::string(300, '\x80'), 200).size(), 200U);
}

}  // namespace
}  // namespace outrigger::base
