#include "cli/scrape.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace outrigger::cli {
namespace {

using testing::ElementsAre;

TEST(Scrape, SumsTheSeriesThatHaveTheLabels) {
  const Scrape scrape(
      "# HELP a Something.\n# TYPE a counter\n"
      "a{topic=\"x\",outcome=\"acked\"} 3\na{topic=\"x\",outcome=\"failed\"} 4\n"
      "a{topic=\"y\",outcome=\"acked\"} 5\nb 1.5e3\n\nnonsense\n");
  EXPECT_EQ(scrape.Sum("a"), 12);
  EXPECT_EQ(scrape.Sum("a", {{"topic", "x"}}), 7);
  EXPECT_EQ(scrape.Sum("a", {{"topic", "x"}, {"outcome", "acked"}}), 3);
  EXPECT_EQ(scrape.Max("a"), 5);
  EXPECT_EQ(scrape.Count("a", {{"outcome", "acked"}}), 2U);
  EXPECT_EQ(scrape.Sum("b"), 1500);
  EXPECT_EQ(scrape.Sum("c"), 0);
  EXPECT_TRUE(scrape.Has("b"));
  EXPECT_FALSE(scrape.Has("c"));
  EXPECT_THAT(scrape.Values("a", "topic"), ElementsAre("x", "y"));
}

TEST(Scrape, ALabelsValueMayHoldWhatIsEscaped) {
  const Scrape scrape("a{l=\"x\\\"}, \\\\ \\n{y\",m=\"2\"} 1\n");
  EXPECT_THAT(scrape.Values("a", "l"), ElementsAre("x\"}, \\ \n{y"));
  EXPECT_EQ(scrape.Sum("a", {{"m", "2"}}), 1);
}

TEST(Scrape, WhatIsCutShortIsNoSample) {
  for (const char* text : {"a{", "a{l", "a{l=\"x", "a{l=\"x\\", "a{l=\"x\"", "a"}) Scrape{text};
}

TEST(Scrape, AQuantileIsTheBoundOfItsBucketOfWhatWasObservedSince) {
  const std::string before =
      "h_bucket{t=\"x\",le=\"0.001\"} 100\nh_bucket{t=\"x\",le=\"0.01\"} 100\n"
      "h_bucket{t=\"x\",le=\"+Inf\"} 100\n";
  const std::string after =
      "h_bucket{t=\"x\",le=\"0.001\"} 101\nh_bucket{t=\"x\",le=\"0.01\"} 109\n"
      "h_bucket{t=\"x\",le=\"+Inf\"} 110\n";
  const Scrape first(before), second(after);
  EXPECT_EQ(second.Quantile("h", {{"t", "x"}}, 0.5, nullptr), 0.001);
  EXPECT_EQ(second.Quantile("h", {{"t", "x"}}, 0.5, &first), 0.01);
  EXPECT_EQ(second.Quantile("h", {{"t", "x"}}, 1, &first), 0.01) << "it is beyond the last bound";
  EXPECT_EQ(second.Quantile("h", {{"t", "y"}}, 0.5, nullptr), std::nullopt);
  EXPECT_EQ(first.Quantile("h", {}, 0.5, &first), std::nullopt);
}

}  // namespace
}  // namespace outrigger::cli
