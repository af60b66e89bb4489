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

TEST(Utf8Prefix, BytesThatAreNoTextAreReplaced) {
  EXPECT_EQ(Utf8Prefix("a\xFF\xC3", 100), "a\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(Utf8Prefix("\xED\xA0\x80", 3), "\xEF\xBF\xBD") << "a surrogate";
  EXPECT_EQ(Utf8Prefix("\xFF\xFF", 5), "\xEF\xBF\xBD");
  EXPECT_EQ(Utf8Prefix("\xF0\x9F\x98\x80\xE2\x82\xAC", 100), "\xF0\x9F\x98\x80\xE2\x82\xAC");
  EXPECT_EQ(Utf8Prefix("\xF0\x9F\x98\x80", 3), "");
}

TEST(Utf8Prefix, EndsAtACharactersBoundary) {
  EXPECT_EQ(Utf8Prefix(std::string(1023, 'a') + "\xC3\xA9", 1024), std::string(1023, 'a'));
  EXPECT_EQ(Utf8Prefix("abc", 3), "abc");
  EXPECT_EQ(Utf8Prefix("abc", 0), "");
}

TEST(JsonString, QuotesBackslashesAndControlCharactersAreEscapedWhereverTheyAre) {
  EXPECT_EQ(JsonString(""), R"("")");
  EXPECT_EQ(JsonString("plain text"), R"("plain text")");
  EXPECT_EQ(JsonString("\"x\\y\nz"), R"("\"x\\y\u000az")");
  EXPECT_EQ(JsonString("a\x01"), R"("a\u0001")");
  EXPECT_EQ(JsonString("ab\xC3\xA9"
                       "c\xFF"
                       "d\x7F"),
            "\"ab\xC3\xA9"
            "c\xEF\xBF\xBD"
            "d\x7F\"");
}

TEST(FindBadUtf8, TheFirstByteThatIsNoTextIsFoundWhereverItIs) {
  EXPECT_EQ(FindBadUtf8(""), std::string_view::npos);
  for (size_t at = 0; at < 20; ++at) {
    std::string text(20, 'a');
    EXPECT_EQ(FindBadUtf8(text), std::string_view::npos);
    text[at] = '\xFF';
    EXPECT_EQ(FindBadUtf8(text), at);
    text.replace(at, 1, "\xC3\xA9");
    EXPECT_EQ(FindBadUtf8(text), std::string_view::npos) << at;
  }
}

}  // namespace
}  // namespace outrigger::base
