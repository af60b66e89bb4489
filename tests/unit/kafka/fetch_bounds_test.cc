// A consumer's share of the memory budget as librdkafka's properties.
#include "kafka/fetch_bounds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace outrigger::kafka {
namespace {

using testing::HasSubstr;

constexpr uint64_t kKiB = 1 << 10;
constexpr uint64_t kMiB = 1 << 20;

std::map<std::string, std::string> PropertiesOf(const FetchBounds& bounds,
                                                const config::Kafka& kafka = {}) {
  const auto list = FetchProperties(bounds, kafka);
  return {list.begin(), list.end()};
}

TEST(FetchBounds, OfALargeShareAreTheDefaults) {
  const FetchBounds bounds = FetchBounds::Of(256 * kMiB, 2048 * kMiB);
  EXPECT_EQ(bounds.queued_bytes, 16 * kMiB);
  EXPECT_EQ(bounds.queued_records, 1000U);
  EXPECT_EQ(bounds.fetch_bytes, 8 * kMiB);
  EXPECT_EQ(bounds.partition_bytes, kMiB);
  EXPECT_EQ(bounds.receive_bytes, 100'000'000U);
  EXPECT_EQ(bounds.passed_on, kMiB);
  EXPECT_EQ(FetchBounds::Of(1 << 30, 4096 * kMiB).queued_bytes, 16 * kMiB);
}

TEST(FetchBounds, OfASmallShareFitIntoItWithAnswersThatUnpackToEightTimesAsMuch) {
  for (const uint64_t share : {512 * kKiB, kMiB, 4 * kMiB, 16 * kMiB}) {
    const FetchBounds bounds = FetchBounds::Of(share, 128 * kMiB);
    EXPECT_LE(bounds.queued_bytes + 2 * 8 * bounds.fetch_bytes, share);
    EXPECT_LE(bounds.partition_bytes, bounds.fetch_bytes);
    EXPECT_LE(bounds.queued_records * 2048, share / 2);
    EXPECT_EQ(bounds.receive_bytes, 64 * kMiB);
  }
}

TEST(FetchBounds, OfNoShareAreWhatLibrdkafkaTakes) {
  const FetchBounds bounds = FetchBounds::Of(0, 0);
  EXPECT_GE(bounds.fetch_bytes, 1000U);
  EXPECT_GE(bounds.queued_records, 1U);
  EXPECT_EQ(bounds.receive_bytes, 8 * kMiB);
}

TEST(FetchProperties, CountKilobytesAsLibrdkafkaDoes) {
  const auto properties = PropertiesOf(FetchBounds::Of(512 * kKiB, 128 * kMiB));
  EXPECT_EQ(properties.at("queued.max.messages.kbytes"), "262");
  EXPECT_EQ(properties.at("queued.min.messages"), "128");
  EXPECT_EQ(properties.at("fetch.max.bytes"), "16384");
  EXPECT_EQ(properties.at("fetch.message.max.bytes"), "16384");
  EXPECT_EQ(properties.at("message.max.bytes"), "16384");
  EXPECT_EQ(properties.at("receive.message.max.bytes"), "67108864");
}

TEST(FetchProperties, LeaveTheConfigsOwnAndAgreeWithThem) {
  config::Kafka kafka;
  kafka.properties["fetch.max.bytes"] = {"90000000", {}, ""};
  kafka.properties["message.max.bytes"] = {"5000000", {}, ""};
  kafka.consumer_properties["max.partition.fetch.bytes"] = {"70000000", {}, ""};
  const auto properties = PropertiesOf(FetchBounds::Of(512 * kKiB, 128 * kMiB), kafka);
  EXPECT_FALSE(properties.contains("fetch.max.bytes"));
  EXPECT_FALSE(properties.contains("fetch.message.max.bytes")) << "it is the alias of one";
  EXPECT_EQ(properties.at("receive.message.max.bytes"), "90001024");
  EXPECT_EQ(properties.at("message.max.bytes"), "1048576") << "no more than fetch.max.bytes";
}

TEST(CheckFetchProperties, WarnsOfWhatExceedsTheShare) {
  config::Kafka kafka;
  kafka.properties["queued.max.messages.kbytes"] = {
      "65536", {"f.yaml", 3, 7}, "kafka.properties.q"};
  kafka.properties["queued.min.messages"] = {"10", {}, ""};
  const auto problems = CheckFetchProperties(FetchBounds::Of(512 * kKiB, 128 * kMiB), kafka);
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0].severity, config::Problem::Severity::kWarning);
  EXPECT_THAT(problems[0].text(), HasSubstr("f.yaml:3:7: warning: kafka.properties.q: "));
  EXPECT_THAT(problems[0].text(), HasSubstr("memory.budget, which allows 262"));
}

TEST(CheckFetchProperties, TheConsumersOwnValueIsTheOneThatCounts) {
  config::Kafka kafka;
  kafka.properties["queued.min.messages"] = {"100000", {}, ""};
  kafka.consumer_properties["queued.min.messages"] = {"100", {}, ""};
  EXPECT_TRUE(CheckFetchProperties(FetchBounds::Of(512 * kKiB, 128 * kMiB), kafka).empty());
}

}  // namespace
}  // namespace outrigger::kafka
