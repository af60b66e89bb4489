#include "config/diff.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/load.h"

namespace outrigger::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Config Read(const std::string& text) {
  const Loaded loaded = LoadText("apiVersion: outrigger/v1\nkind: Sidecar\n" + text, "test.yaml",
                                 [](const char*) { return std::nullopt; });
  for (const auto& problem : loaded.problems)
    EXPECT_NE(problem.severity, Problem::Severity::kError) << problem.text();
  return loaded.config;
}

// "path: before -> after (effect)"
std::vector<std::string> Lines(const std::string& now, const std::string& next) {
  std::vector<std::string> lines;
  for (const auto& each : Diff(Read(now), Read(next)))
    lines.push_back(each.path + ": " + each.before + " -> " + each.after + " (" + each.effect +
                    ")");
  return lines;
}

TEST(Diff, AFieldWithItsDefaultIsNoDifference) {
  EXPECT_THAT(Lines("", "http: {maxBody: 1MiB}\nkafka: {brokers: ['localhost:9092']}\n"),
              IsEmpty());
}

TEST(Diff, OfASubscriptionSaysWhatItKeeps) {
  const std::string one =
      "subscriptions:\n  - {name: mail, topics: [a], deliver: {url: 'http://x/1'}}\n";
  const std::string other =
      "subscriptions:\n"
      "  - {name: audit, topics: [a], deliver: {url: 'http://x/2'}}\n"
      "  - {name: mail, topics: [a, b], deliver: {url: 'http://x/3', concurrency: 3}}\n";
  EXPECT_THAT(
      Lines(one, other),
      ElementsAre(
          "subscriptions.mail.topics: [\"a\"] -> [\"a\",\"b\"] (its group subscribes again; topics "
          "that stay keep their partitions)",
          "subscriptions.mail.deliver.url: \"http://x/1\" -> \"http://x/3\" (keeps its partitions; "
          "what is in flight settles first)",
          "subscriptions.mail.deliver.concurrency: 64 -> 3 (keeps its partitions; what is in "
          "flight settles first)",
          testing::StartsWith("subscriptions.audit:  -> {\"name\":\"audit\"")));
  EXPECT_THAT(Lines(other, ""),
              ElementsAre(testing::HasSubstr("(settles what is in flight, and is gone)"),
                          testing::HasSubstr("(settles what is in flight, and is gone)")));
}

TEST(Diff, OfRoutesNamesThoseBetweenWhatIsTheSame) {
  const std::string a = "  - {match: {type: a}, topic: t}\n",
                    b = "  - {match: {type: b}, topic: t}\n";
  const std::string c = "  - {match: {type: c, data.x: '1'}, topic: t}\n";
  EXPECT_THAT(Lines("routes:\n" + a + b, "routes:\n" + a + c + b),
              ElementsAre(testing::StartsWith(
                  "routes[1]:  -> {\"match\":{\"type\":\"c\",\"data.x\":\"1\"}")));
  EXPECT_THAT(Lines("routes:\n" + a + b, "routes:\n" + a),
              ElementsAre(testing::EndsWith("(removed at once)")));
  EXPECT_THAT(Lines("routes:\n" + a, "routes:\n  - {match: {type: a}, topic: other}\n"),
              ElementsAre("routes[0].topic: \"t\" -> \"other\" (at once)"));
}

TEST(Diff, NamesWhatWaitsForTheNextStart) {
  const auto all =
      Diff(Read(""), Read("http: {listen: '127.0.0.1:1'}\nspool: {path: s, after: 1s}\n"));
  ASSERT_EQ(all.size(), 3U);
  for (const auto& each : all)
    EXPECT_EQ(each.at_next_start, each.path != "spool.after") << each.path;
  EXPECT_THAT(AtNextStart(Read(""), Read("kafka: {brokers: [embedded], enabled: false}\n")),
              ElementsAre("kafka.enabled", "kafka.brokers"));
}

TEST(Diff, OfSecretsSaysNothingButThatTheyDiffer) {
  Config now = Read("kafka: {properties: {some.password: one}}\n");
  Config next = Read("kafka: {properties: {some.password: two}}\n");
  const auto all = Diff(now, next);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all.front().path, "kafka.security");
  EXPECT_EQ(all.front().before, "\"a secret\"");
  next = now;
  next.kafka.security.fingerprint = "rotated";
  EXPECT_EQ(Diff(now, next).size(), 1U);
}

}  // namespace
}  // namespace outrigger::config
