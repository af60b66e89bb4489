#include "event/formats.h"

#include <gtest/gtest.h>

#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "event/attributes.h"

namespace outrigger::event {
namespace {

struct Case {
  const char* format;
  std::vector<std::string> good;
  std::vector<std::string> bad;
};

const std::vector<Case>& Cases() {
  static const std::vector<Case> cases{
      {"date-time",
       {"2026-11-23T20:15:30Z", "2024-02-29t00:00:00.123456789+05:30", "2016-12-31T23:59:60Z"},
       {"", "2026-11-23", "2026-11-23 20:15:30Z", "2026-11-23T20:15:30", "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z", "2026-11-23T24:00:00Z", "2026-11-23T20:15:30.Z",
        "2026-11-23T20:15:30+24:00", "2026-11-23T20:15:30Zx"}},
      {"date",
       {"2026-11-23", "2000-02-29"},
       {"", "2026-11-31", "26-11-23", "2026-11-23Z", "1900-02-29", "2026-11-23T00:00:00Z"}},
      {"time",
       {"20:15:30Z", "20:15:30.5-08:00"},
       {"", "20:15Z", "20:15:30", "25:00:00Z", "8:15:30Z"}},
      {"email",
       {"a@b", "first.last+tag@example.com", "o'neil@sub.example-a.org"},
       {"", "a", "@b", "a@", "a b@c", "a@b c", ".a@b", "a.@b", "a..b@c", "a@b@c", "a@-b"}},
      {"uuid",
       {"017f22e2-79b0-7cc3-98c4-dc0c0c07398f", "017F22E2-79B0-7CC3-98C4-DC0C0C07398F"},
       {"", "017f22e279b07cc398c4dc0c0c07398f", "017f22e2-79b0-7cc3-98c4-dc0c0c07398g",
        "{017f22e2-79b0-7cc3-98c4-dc0c0c07398f}", "017f22e2-79b0-7cc3-98c4-dc0c0c07398"}},
      {"ipv4",
       {"127.0.0.1", "255.255.255.255"},
       {"", "1.2.3", "256.1.1.1", "1.2.3.4.5", "01.2.3.4", " 1.2.3.4", "::1",
        std::string("1.2.3.4\0a", 9)}},
      {"ipv6",
       {"::1", "2001:db8::1", "::ffff:1.2.3.4"},
       {"", "1.2.3.4", "2001:db8::1::2", "[::1]", "12345::", "::1%eth0", std::string("::1\0", 4)}},
      {"uri",
       {"https://example.com/a?b=c#d", "urn:uuid:1", "mailto:a@b", "file:///a%20b"},
       {"", "/a/b", "a", ":a", "1a:b", "http://a b", "http://a/%zz", "http://a/%2",
        "http://\xC3\xA9"}},
      {"uri-reference",
       {"", "a", "../a/b?c#d", "#a", "//host/a", "http://[::1]:80/", "?a=b", "a%20b"},
       {"a b", "1:b", "http://a/%zz", "\\a", "#a#b", "//[::g]/", "http://a:b/", "\xC3\xA9"}},
      {"iri", {"http://\xC3\xA9/\xC3\xA9", "urn:a"}, {"", "/\xC3\xA9", "a b:c"}},
      {"iri-reference", {"", "/\xC3\xA9"}, {"a b", "\\"}},
      {"uri-template",
       {"", "a", "/users/{id}{?page,size*}", "{+path:30}/x", "%20"},
       {"{", "}", "{}", "{a", "{a:0}", "{a b}", "a b", "{a,}"}},
      {"duration",
       {"P1D", "P4W", "PT36H", "P1Y2M3DT4H5M6S", "P1Y", "PT0S"},
       {"", "P", "PT", "1D", "P1", "P1H", "PT1D", "P1DT", "P1W1D", "P-1D", "P2D1Y", "P1.5D"}},
      {"json-pointer", {"", "/", "/a/0/b~0c~1d", "//"}, {"a", "/~", "/~2", "#/a"}},
      {"relative-json-pointer", {"0", "1/a", "10#", "2/"}, {"", "/a", "01", "-1", "1a", "0##"}},
      {"regex", {"", "^a+$", "a|b", "\\p{Letter}{1,64}", "\\u00e9"}, {"(", "[a", "a{2,1}", "*"}},
      {"hostname",
       {"localhost", "a-b.example.com", "1.example"},
       {"", "-a", "a-", "a..b", "a_b", "a.", std::string(64, 'a'), std::string(254, 'a')}},
  };
  return cases;
}

TEST(Formats, EachPromisedFormatHasGoodAndBadValues) {
  for (const auto& [format, good, bad] : Cases()) {
    const FormatCheck has = FindFormat(format);
    ASSERT_NE(has, nullptr) << format;
    for (const auto& text : good) EXPECT_TRUE(has(text)) << format << " " << text;
    for (const auto& text : bad) EXPECT_FALSE(has(text)) << format << " " << text;
  }
}

TEST(Formats, AllThatAreCheckedAreCoveredHere) {
  std::set<std::string> covered;
  for (const auto& one : Cases()) covered.insert(one.format);
  const std::string known = KnownFormats();
  std::stringstream names(known);
  size_t count = 0;
  for (std::string name; std::getline(names >> std::ws, name, ',');) {
    EXPECT_TRUE(covered.contains(name)) << name;
    ++count;
  }
  EXPECT_EQ(count, covered.size());
}

TEST(Formats, WhatIsNotCheckedIsNotKnown) {
  for (const char* format : {"", "idn-email", "idn-hostname", "Date", "color"})
    EXPECT_EQ(FindFormat(format), nullptr) << format;
}

TEST(AttributeNames, AreLowerCaseLettersAndDigits) {
  EXPECT_TRUE(IsAttributeName("a1"));
  for (const char* name : {"", "A", "a_b", "a-b", "\xC3\xA9", "a "})
    EXPECT_FALSE(IsAttributeName(name)) << name;
}

}  // namespace
}  // namespace outrigger::event
