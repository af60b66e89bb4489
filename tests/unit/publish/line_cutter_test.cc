#include "publish/line_cutter.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace outrigger::publish {
namespace {

std::string Shown(const LineCutter::Line& line) {
  return std::to_string(line.number()) + ":" +
         (line.too_long() ? "(too long)" : std::string(line.text()));
}

// The lines that end in `chunk`.
std::vector<std::string> Cut(LineCutter& cutter, std::string_view chunk) {
  std::vector<std::string> lines;
  while (!chunk.empty())
    if (const auto line = cutter.Next(chunk)) lines.push_back(Shown(*line));
  return lines;
}

using Lines = std::vector<std::string>;

TEST(LineCutter, TakesOneLineAtATimeOffTheBytes) {
  LineCutter cutter(100);
  std::string_view bytes = "a\nbc\nd";
  EXPECT_EQ(Shown(*cutter.Next(bytes)), "1:a");
  EXPECT_EQ(bytes, "bc\nd");
  EXPECT_EQ(Shown(*cutter.Next(bytes)), "2:bc");
  EXPECT_EQ(bytes, "d");
  EXPECT_FALSE(cutter.Next(bytes));
  EXPECT_TRUE(bytes.empty());
  EXPECT_EQ(cutter.lines(), 2U);
}

TEST(LineCutter, ShowsALineInsideOneChunkInPlace) {
  LineCutter cutter(100);
  const std::string chunk = std::string(50, 'a') + "\n";
  std::string_view bytes = chunk;
  const auto line = cutter.Next(bytes);
  ASSERT_TRUE(line);
  EXPECT_EQ(line->text().data(), chunk.data());
}

TEST(LineCutter, ALineOfSeveralChunksOutlivesThemAndIsHeldNoLonger) {
  LineCutter cutter(100);
  EXPECT_EQ(Cut(cutter, "one "), Lines());
  EXPECT_EQ(Cut(cutter, "two "), Lines());
  EXPECT_EQ(cutter.held(), 8U);
  EXPECT_TRUE(cutter.begun());
  std::string chunk = "three\n";
  std::string_view bytes = chunk;
  const auto line = cutter.Next(bytes);
  EXPECT_EQ(cutter.held(), 0U);
  EXPECT_FALSE(cutter.begun());
  chunk.assign(chunk.size(), 'x');
  ASSERT_TRUE(line);
  EXPECT_EQ(line->text(), "one two three");
}

TEST(LineCutter, WhereTheChunksEndChangesNothing) {
  const std::string stream =
      "a\r\n\n\r\n\rb\r\r\n12345678\r\n123456789\n12345678\n12345678\rx\nlast\r";
  const Lines lines = {"1:a",          "2:",         "3:",           "4:\rb\r", "5:12345678",
                       "6:(too long)", "7:12345678", "8:(too long)", "9:last"};
  for (size_t first = 0; first <= stream.size(); ++first) {
    for (size_t second = first; second <= stream.size(); ++second) {
      LineCutter cutter(8);
      Lines cut;
      for (const std::string& chunk :
           {stream.substr(0, first), stream.substr(first, second - first), stream.substr(second)})
        for (auto& line : Cut(cutter, chunk)) cut.push_back(std::move(line));
      ASSERT_TRUE(cutter.begun());
      cut.push_back(Shown(cutter.Last()));
      ASSERT_EQ(cut, lines) << first << " " << second;
      EXPECT_FALSE(cutter.begun());
      EXPECT_EQ(cutter.lines(), 9U);
    }
  }
}

TEST(LineCutter, ALineMayHaveTheMostBytesBesideItsEnd) {
  for (const char* end : {"\n", "\r\n"}) {
    LineCutter cutter(3);
    EXPECT_EQ(Cut(cutter, std::string("abc") + end), Lines{"1:abc"});
    EXPECT_EQ(Cut(cutter, std::string("abcd") + end), Lines{"2:(too long)"});
    EXPECT_EQ(Cut(cutter, std::string("abc\r") + end),
              Lines{end[0] == '\r' ? "3:(too long)" : "3:abc"});
  }
}

TEST(LineCutter, OfALineThatIsTooLongNothingIsHeldAndTheNextOneIsWhole) {
  LineCutter cutter(8);
  Cut(cutter, "12345678");
  EXPECT_EQ(cutter.held(), 8U);
  for (int chunks = 0; chunks < 3; ++chunks) {
    Cut(cutter, "9");
    EXPECT_EQ(cutter.held(), 0U);
    EXPECT_TRUE(cutter.begun());
  }
  EXPECT_EQ(Cut(cutter, "\nabc\n"), (Lines{"1:(too long)", "2:abc"}));
}

TEST(LineCutter, ATooLongLineHasNoText) {
  LineCutter cutter(2);
  std::string_view bytes = "abc\n";
  EXPECT_EQ(cutter.Next(bytes)->text(), "");
  Cut(cutter, "abc");
  const auto last = cutter.Last();
  EXPECT_TRUE(last.too_long());
  EXPECT_EQ(last.text(), "");
}

TEST(LineCutter, AStreamThatEndsWithALineHasNoLastOne) {
  LineCutter cutter(8);
  EXPECT_FALSE(cutter.begun());
  Cut(cutter, "a\n\n");
  EXPECT_FALSE(cutter.begun());
  Cut(cutter, "\r");
  EXPECT_TRUE(cutter.begun());
  EXPECT_EQ(Shown(cutter.Last()), "3:");
}

}  // namespace
}  // namespace outrigger::publish
