#include "telemetry/metrics.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace outrigger::telemetry {
namespace {

// Names, types and help as in the exposition, without process_* and the values.
std::string Shape(const std::string& text) {
  std::istringstream lines(text);
  std::string shape;
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("# ") && line.find("process_") == std::string::npos) shape += line + "\n";
  return shape;
}

TEST(Metrics, NamesTypesAndHelpAreAsTheGoldenFileHasThem) {
  Metrics metrics;
  metrics.Producer("t");
  const auto subscription = metrics.Subscription("s");
  subscription->Topic("t");
  metrics.Partition("g", "t", 0);
  metrics.Spool();
  metrics.MemoryBudget();
  metrics.MemoryShare("kafka");
  metrics.MemoryUsed("kafka");
  metrics.HttpRequests("/v1/events", 200).Increment();
  const std::string path = OUTRIGGER_SOURCE_DIR "/tests/golden/metrics.txt";
  if (std::getenv("OUTRIGGER_UPDATE_GOLDEN")) std::ofstream(path) << Shape(metrics.Text());
  std::ifstream in(path);
  std::stringstream golden;
  golden << in.rdbuf();
  EXPECT_EQ(Shape(metrics.Text()), golden.str());
}

TEST(Metrics, TheSeriesOfASubscriptionGoWithTheLastThatKeepsThem) {
  Metrics metrics;
  auto first = metrics.Subscription("s");
  first->Topic("t")[ConsumerOutcome::kDelivered].Increment();
  auto next = metrics.Subscription("s");
  first.reset();
  next->Topic("t")[ConsumerOutcome::kDelivered].Increment();
  EXPECT_EQ(next->Topic("t")[ConsumerOutcome::kDelivered].value(), 2);
  next.reset();
  EXPECT_EQ(metrics.Text().find("subscription=\"s\""), std::string::npos);
  EXPECT_EQ(metrics.Subscription("s")->Topic("t")[ConsumerOutcome::kDelivered].value(), 0);
}

TEST(Metrics, ALabelsValueIsEscaped) {
  Metrics metrics;
  metrics.Producer("a\"b\\c\nd");
  EXPECT_NE(metrics.Text().find(R"(topic="a\"b\\c\nd")"), std::string::npos);
}

TEST(Metrics, TheSameLabelIsTheSameSeries) {
  Metrics metrics;
  metrics.Producer("t")[ProducerOutcome::kAcked].Increment();
  metrics.Producer("t")[ProducerOutcome::kAcked].Increment();
  EXPECT_EQ(metrics.Producer("t")[ProducerOutcome::kAcked].value(), 2);
}

TEST(Metrics, BucketsFitAFastAckAndALongOutage) {
  Metrics metrics;
  metrics.Producer("t").latency.Observe(0.0002);
  metrics.Producer("t").latency.Observe(29);
  const std::string text = metrics.Text();
  EXPECT_NE(text.find(R"(topic="t",le="0.00025"} 1)"), std::string::npos);
  EXPECT_NE(text.find(R"(topic="t",le="10"} 1)"), std::string::npos);
  EXPECT_NE(text.find(R"(topic="t",le="30"} 2)"), std::string::npos);
}

TEST(Metrics, WithoutASpoolThereAreNoSeriesOfOne) {
  Metrics metrics;
  EXPECT_EQ(metrics.Text().find("outrigger_spool"), std::string::npos);
  SpoolMetrics none;
  none.records.Set(1);
  none.commit.Observe(1);
  none[SpoolOutcome::kAcked].Increment();
  EXPECT_EQ(none[SpoolOutcome::kAcked].value(), 0);
}

TEST(Metrics, WhatLeavesTheSpoolAndWhatFailsInItAreCountedByKind) {
  Metrics metrics;
  const SpoolMetrics spool = metrics.Spool();
  spool[SpoolOutcome::kQuarantined].Increment();
  spool[SpoolError::kDiskFull].Increment(2);
  const std::string text = metrics.Text();
  EXPECT_NE(text.find(R"(outrigger_spool_left_total{outcome="acked"} 0)"), std::string::npos);
  EXPECT_NE(text.find(R"(outrigger_spool_left_total{outcome="already_in_kafka"} 0)"),
            std::string::npos);
  EXPECT_NE(text.find(R"(outrigger_spool_left_total{outcome="quarantined"} 1)"), std::string::npos);
  EXPECT_NE(text.find(R"(outrigger_spool_errors_total{reason="disk_full"} 2)"), std::string::npos);
}

TEST(Metrics, BucketsFitACommitOfAFastDiskAndOfOneThatHangs) {
  Metrics metrics;
  metrics.Spool().commit.Observe(0.0002);
  metrics.Spool().commit.Observe(9);
  const std::string text = metrics.Text();
  EXPECT_NE(text.find(R"(outrigger_spool_commit_seconds_bucket{le="0.0001"} 0)"),
            std::string::npos);
  EXPECT_NE(text.find(R"(outrigger_spool_commit_seconds_bucket{le="0.00025"} 1)"),
            std::string::npos);
  EXPECT_NE(text.find(R"(outrigger_spool_commit_seconds_bucket{le="10"} 2)"), std::string::npos);
}

}  // namespace
}  // namespace outrigger::telemetry
