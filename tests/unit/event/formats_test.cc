#include "event/formats.h"

#include <gtest/gtest.h>

#include <array>
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
      {"hostname",
       {"localhost", "a-b.example.com", "1.example"},
       {"", "-a", "a-", "a..b", "a_b", "a.", std::string(64, 'a'), std::string(254, 'a')}},
  };
  return cases;
}

TEST(Formats, EachPromisedFormatHasGoodAndBadValues) {
  for (const auto& [format, good, bad] : Cases()) {
    EXPECT_TRUE(IsKnownFormat(format)) << format;
    for (const auto& text : good) EXPECT_TRUE(HasFormat(text, format)) << format << " " << text;
    for (const auto& text : bad) EXPECT_FALSE(HasFormat(text, format)) << format << " " << text;
  }
}

TEST(Formats, AllThatArePromisedAreCoveredHere) {
  constexpr std::array kPromised{"date-time", "date", "time", "email",   "uuid",
                                 "ipv4",      "ipv6", "uri",  "hostname"};
  ASSERT_EQ(Cases().size(), kPromised.size());
  for (size_t i = 0; i < kPromised.size(); ++i) EXPECT_STREQ(Cases()[i].format, kPromised[i]);
}

TEST(Formats, WhatIsNotCheckedIsNotKnown) {
  for (const char* format : {"", "regex", "iri", "idn-email", "uri-reference", "Date", "duration"})
    EXPECT_FALSE(IsKnownFormat(format)) << format;
}

TEST(AttributeNames, AreLowerCaseLettersAndDigits) {
  EXPECT_TRUE(IsAttributeName("a1"));
  for (const char* name : {"", "A", "a_b", "a-b", "\xC3\xA9", "a "})
    EXPECT_FALSE(IsAttributeName(name)) << name;
}

}  // namespace
}  // namespace outrigger::event
