#include "base/percent.h"

#include <gtest/gtest.h>

namespace outrigger::base {
namespace {

TEST(Percent, EscapesAreResolvedOnceOrRefused) {
  EXPECT_EQ(PercentDecoded("a%20b%c3%A9"), "a b\xC3\xA9");
  EXPECT_EQ(PercentDecoded("%2541"), "%41");
  EXPECT_EQ(PercentDecoded(""), "");
  for (const char* bad : {"%", "%2", "%zz", "%2z", "a%"}) EXPECT_FALSE(PercentDecoded(bad)) << bad;
}

TEST(Percent, OfAValueAPercentSignThatBeginsNoEscapeStays) {
  EXPECT_EQ(PercentDecodedValue("100%, %41%4"), "100%, A%4");
  EXPECT_EQ(PercentDecodedValue("%%41"), "%A");
}

TEST(Percent, WhatIsEncodedIsDecodedToTheSame) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all.push_back(static_cast<char>(byte));
  const std::string encoded = PercentEncoded(all, IsUnreserved);
  EXPECT_EQ(PercentDecoded(encoded), all);
  EXPECT_TRUE(encoded.starts_with("%00%01"));
  EXPECT_NE(encoded.find("-.%2F0123456789%3A"), std::string::npos);
}

}  // namespace
}  // namespace outrigger::base
