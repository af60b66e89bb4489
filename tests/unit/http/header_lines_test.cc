#include "http/header_lines.h"

#include <gtest/gtest.h>
#include <tuple>

namespace outrigger::http {
namespace {

TEST(HeaderLines, AreInTheFormInWhichTheyAreSent) {
  HeaderLines lines;
  EXPECT_EQ(lines.text(), "");
  lines.Add("content-type", "text/plain");
  lines.Add("ce-subject", "");
  EXPECT_EQ(lines.text(), "content-type: text/plain\r\nce-subject: \r\n");
  EXPECT_EQ(lines.wrong(), "");
}

TEST(HeaderLines, WhatWouldChangeTheFramingIsLeftOutAndNamed) {
  for (const auto& [name, value, wrong] :
       {std::tuple{"Transfer-Encoding", "chunked", "the header Transfer-Encoding can't be set"},
        {"content-length", "3", "the header content-length can't be set"},
        {"a b", "1", "a header's name has a byte that it can't have"},
        {"", "1", "a header's name has a byte that it can't have"},
        {"ce-id", "1\r\nhost: x", "the value of the header ce-id has a control byte"}}) {
    HeaderLines lines;
    lines.Add("first", "1");
    lines.Add(name, value);
    lines.Add("host", "only the first is named");
    EXPECT_EQ(lines.text(), "first: 1\r\n") << name;
    EXPECT_TRUE(lines.wrong().starts_with(wrong)) << lines.wrong();
  }
}

}  // namespace
}  // namespace outrigger::http
