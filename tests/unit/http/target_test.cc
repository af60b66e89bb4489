#include "http/target.h"

#include <gtest/gtest.h>

namespace outrigger::http {
namespace {

struct Read {
  Head head;
  std::string wrong;
};

Read Target(std::string_view target) {
  Read read;
  read.wrong = ReadTarget(target, read.head);
  return read;
}

using Query = std::vector<std::pair<std::string, std::string>>;

TEST(Target, SplitsPathAndQueryAndDecodesEachOnce) {
  const Read read = Target("/v1/events/a%2Fb%252F?key=a%3Db&id=%2B+%20");
  EXPECT_EQ(read.wrong, "");
  EXPECT_EQ(read.head.path, "/v1/events/a/b%2F");
  EXPECT_EQ(read.head.query, (Query{{"key", "a=b"}, {"id", "+  "}}));
}

TEST(Target, APlusInThePathIsAPlus) { EXPECT_EQ(Target("/a+b").head.path, "/a+b"); }

TEST(Target, KeepsTheOrderOfTheQueryAndItsRepetitions) {
  const Read read = Target("/?b=1&a=2&b=3&&c&d=&=e&f=g=h");
  EXPECT_EQ(read.wrong, "");
  EXPECT_EQ(
      read.head.query,
      (Query{{"b", "1"}, {"a", "2"}, {"b", "3"}, {"c", ""}, {"d", ""}, {"", "e"}, {"f", "g=h"}}));
  EXPECT_EQ(*read.head.Query("b"), "1");
}

TEST(Target, TheFirstQuestionMarkBeginsTheQuery) {
  const Read read = Target("/a?b?c=d?e");
  EXPECT_EQ(read.head.path, "/a");
  EXPECT_EQ(read.head.query, (Query{{"b?c", "d?e"}}));
}

TEST(Target, AbsoluteFormLosesItsSchemeAndHost) {
  EXPECT_EQ(Target("http://localhost:8800/v1/events?a=b").head.path, "/v1/events");
  EXPECT_EQ(Target("https://a/").head.path, "/");
  EXPECT_EQ(Target("HTTP://h/v1/events").head.path, "/v1/events") << "schemes have no case";
  EXPECT_EQ(Target("hTTpS://h/a").head.path, "/a");
  EXPECT_EQ(Target("http://a").head.path, "/") << "RFC 3986 section 6.2.3";
  EXPECT_EQ(Target("http://a?b=/").head.path, "/");
  EXPECT_EQ(Target("http://a?b=/").head.query, (Query{{"b", "/"}}));
  for (const char* target : {"ftp://a/b", "http:///b", "http://", "http://u:p@a/b", "http:/a",
                             "http://http://a/b#c", "xhttp://a/b"})
    EXPECT_NE(Target(target).wrong, "") << target;
}

TEST(Target, AnAsteriskIsTheServerAndOfOptionsAlone) {
  Read read;
  read.head.method = "OPTIONS";
  EXPECT_EQ(ReadTarget("*", read.head), "");
  EXPECT_EQ(read.head.path, "*");
  EXPECT_NE(ReadTarget("*a", read.head), "");
  read.head.method = "GET";
  EXPECT_NE(ReadTarget("*", read.head), "");
}

TEST(Target, OfALongBadOneTheRefusalShowsTheBeginning) {
  EXPECT_LT(Target("/" + std::string(10'000, 'a') + "%zz").wrong.size(), 300U);
}

TEST(Target, AFollowingSlashIsNoAuthority) { EXPECT_EQ(Target("//a/b").head.path, "//a/b"); }

TEST(Target, WhatIsNoPathOrHasABadEscapeIsRefused) {
  for (const char* target : {"", "a", "*", "?a=b", "/a#b", "/a?b#c", "/%", "/%4", "/%4g", "/%g4",
                             "/%00", "/a%00?b=c", "/?a=%", "/%u0041", "/% 41"})
    EXPECT_NE(Target(target).wrong, "") << target;
}

TEST(Target, ARefusalNeverCarriesRawControlBytes) {
  for (const char c : Target("/\x01\n%zz").wrong) EXPECT_GE(static_cast<unsigned char>(c), 0x20);
}

TEST(Target, AQueryMayHoldAnyByte) {
  std::string escaped, bytes;
  for (int byte = 0; byte < 256; ++byte) {
    char escape[4];
    std::snprintf(escape, sizeof escape, "%%%02X", byte);
    escaped += escape;
    bytes.push_back(static_cast<char>(byte));
  }
  const auto target = Target("/a?key=" + escaped);
  ASSERT_EQ(target.wrong, "");
  EXPECT_EQ(*target.head.Query("key"), bytes);
  EXPECT_EQ(*Target("/a?key=%00%00%00%2A").head.Query("key"), std::string("\0\0\0*", 4));
}

TEST(PercentDecode, TakesHexOfBothCasesAndOfAPathEveryByteButZero) {
  std::string out;
  EXPECT_TRUE(PercentDecode("%c3%A9%ff%01", false, out));
  EXPECT_EQ(out, "\xC3\xA9\xFF\x01");
  EXPECT_FALSE(PercentDecode("a%00b", false, out));
  EXPECT_TRUE(PercentDecode("a%00b", true, out));
  EXPECT_EQ(out, std::string("a\0b", 3));
  EXPECT_TRUE(PercentDecode("", false, out));
  EXPECT_EQ(out, "");
  EXPECT_TRUE(PercentDecode("%41", false, out));
  EXPECT_EQ(out, "A");
}

}  // namespace
}  // namespace outrigger::http
