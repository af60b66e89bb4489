#include "config/values.h"

#include <gtest/gtest.h>

namespace outrigger::config {
namespace {

using std::chrono::milliseconds;

TEST(Duration, IsAWholeNumberWithAUnitOrSeveralFromLargeToSmall) {
  const std::pair<const char*, int64_t> cases[] = {{"250ms", 250},    {"5s", 5000},
                                                   {"1m", 60'000},    {"10h", 36'000'000},
                                                   {"1m30s", 90'000}, {"1h1m1s1ms", 3'661'001},
                                                   {"0s", 0},         {"007s", 7000}};
  for (const auto& [text, expected] : cases) {
    const auto duration = ParseDuration(text);
    ASSERT_TRUE(duration) << text;
    EXPECT_EQ(duration->count(), expected) << text;
  }
}

TEST(Duration, AnythingElseIsRefusedWithTheForm) {
  for (const char* text : {"", "5", "s", "5 s", "-5s", "+5s", "1.5s", "5S", "5sec", "1s1m", "1s1s",
                           "5s ", " 5s", "99999999999999999999s", "9999999999999h", "1d", "5s5"}) {
    const auto duration = ParseDuration(text);
    ASSERT_FALSE(duration) << text;
    EXPECT_NE(duration.error().hint.find("1m30s"), std::string::npos);
  }
}

TEST(Duration, ShownAgainIsReadTheSame) {
  for (const int64_t ms : {0, 1, 999, 1000, 60'000, 61'001, 3'600'000, 90'061'001})
    EXPECT_EQ(*ParseDuration(ShowDuration(milliseconds(ms))), milliseconds(ms));
  EXPECT_EQ(ShowDuration(milliseconds(90'000)), "1m30s");
}

TEST(Size, IsBytesOrANumberWithAUnit) {
  const std::pair<const char*, uint64_t> cases[] = {{"0", 0},
                                                    {"500", 500},
                                                    {"500B", 500},
                                                    {"1KB", 1000},
                                                    {"1KiB", 1024},
                                                    {"64KiB", 65536},
                                                    {"1MB", 1'000'000},
                                                    {"1MiB", 1 << 20},
                                                    {"2GB", 2000000000},
                                                    {"4GiB", 4294967296}};
  for (const auto& [text, expected] : cases) {
    const auto size = ParseSize(text);
    ASSERT_TRUE(size) << text;
    EXPECT_EQ(*size, expected) << text;
  }
}

TEST(Size, AnythingElseIsRefusedWithTheForm) {
  for (const char* text : {"", "MiB", "1 MiB", "-1", "+1", "1.5MiB", "1mib", "1M", "1K", "1MiBs",
                           "99999999999999999999", "18446744073709551615GiB", "0x10", "1e3"}) {
    const auto size = ParseSize(text);
    ASSERT_FALSE(size) << text;
    EXPECT_NE(size.error().hint.find("64KiB"), std::string::npos);
  }
}

TEST(Size, ShownAgainIsReadTheSame) {
  for (const uint64_t bytes : {0UL, 1UL, 1000UL, 1024UL, 1UL << 20, 3UL << 30, 1234567UL})
    EXPECT_EQ(*ParseSize(ShowSize(bytes)), bytes);
  EXPECT_EQ(ShowSize(1 << 20), "1MiB");
}

TEST(Excerpt, IsShortAndHasNoControlBytesAndNoHalfCharacters) {
  EXPECT_EQ(Excerpt("a\nb\x1b"), "a?b?");
  EXPECT_EQ(Excerpt(std::string(60, 'x')), std::string(60, 'x'));
  EXPECT_EQ(Excerpt(std::string(61, 'x')), std::string(60, 'x') + "…");
  EXPECT_EQ(Excerpt(std::string(59, 'x') + "éé"), std::string(59, 'x') + "…");
}

TEST(TopicName, ObeysKafkasRule) {
  for (const char* name : {"a", "user.events", "A_b-1", "_x"}) EXPECT_FALSE(CheckTopicName(name));
  for (const std::string& name :
       {std::string(), std::string("."), std::string(".."), std::string("a b"), std::string("a/b"),
        std::string("é"), std::string("__x"), std::string(250, 'a')})
    EXPECT_TRUE(CheckTopicName(name)) << name;
  EXPECT_FALSE(CheckTopicName(std::string(249, 'a')));
}

TEST(JsonNumber, IsWhatJsonSays) {
  for (const char* text : {"0", "-0", "1", "-1.5", "1e9", "1E+9", "0.1e-2"})
    EXPECT_TRUE(IsJsonNumber(text)) << text;
  for (const char* text : {"", "-", "01", "+1", "1.", ".5", "1e", "0x1", "NaN", "1_0", " 1"})
    EXPECT_FALSE(IsJsonNumber(text)) << text;
}

}  // namespace
}  // namespace outrigger::config
