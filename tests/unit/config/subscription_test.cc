// subscriptions and rebalance: what a file may say, and what is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/load.h"
#include "config/values.h"
#include "support/config_text.h"

namespace outrigger::config {
namespace {

using test::kHeader;
using test::LoadBetween;
using test::LoadYaml;
using test::Shown;
using testing::HasSubstr;

const std::string kLeast =
    "subscriptions:\n  - name: welcome\n    topics: [user.events]\n    deliver: {url: "
    "\"http://127.0.0.1:3000/h/{type}\"}\n";

// One subscription with `lines` (flow style) behind what it must have.
Loaded WithLines(const std::string& lines) {
  return LoadBetween("subscriptions:\n  - {name: a, topics: [t], deliver: {url: \"unix:/s:/\"}, " +
                     lines + "}\n");
}
Loaded WithDeliver(const std::string& deliver) {
  return LoadBetween("subscriptions:\n  - {name: a, topics: [t], deliver: {" + deliver + "}}\n");
}

TEST(Subscriptions, HaveTheDefaultsOfTheReference) {
  const Loaded loaded = LoadBetween(kLeast);
  ASSERT_TRUE(loaded.ok()) << Shown(loaded);
  EXPECT_TRUE(loaded.problems.empty());
  EXPECT_EQ(loaded.config.rebalance_drain, Millis(5000));
  ASSERT_EQ(loaded.config.subscriptions.size(), 1U);
  const Subscription& subscription = loaded.config.subscriptions[0];
  EXPECT_EQ(subscription.place.line, 4);
  EXPECT_EQ(subscription.path, "subscriptions[0]");
  EXPECT_EQ(subscription.name, "welcome");
  ASSERT_EQ(subscription.topics.size(), 1U);
  EXPECT_EQ(subscription.topics[0].value, "user.events");
  EXPECT_EQ(subscription.topics[0].path, "subscriptions[0].topics[0]");
  EXPECT_EQ(subscription.group, "outrigger.welcome");
  EXPECT_EQ(subscription.start_from, StartFrom());
  EXPECT_EQ(subscription.dead_letter, "");
  EXPECT_EQ(subscription.ordering, Ordering::kKey);
  EXPECT_EQ(subscription.deliver.url.value, "http://127.0.0.1:3000/h/{type}");
  EXPECT_EQ(subscription.deliver.mode, DeliverMode::kBinary);
  EXPECT_EQ(subscription.deliver.timeout, Millis(10000));
  EXPECT_EQ(subscription.deliver.concurrency, 64U);
  EXPECT_EQ(subscription.deliver.headers, std::vector<std::string>{"*"});
  EXPECT_FALSE(subscription.deliver.health);
  EXPECT_EQ(subscription.retry.attempts, 5U);
  EXPECT_EQ(subscription.retry.backoff_initial, Millis(200));
  EXPECT_EQ(subscription.retry.backoff_max, Millis(30000));
  EXPECT_EQ(subscription.circuit.failures, 20U);
  EXPECT_EQ(subscription.circuit.keys, 5U);
  EXPECT_EQ(subscription.circuit.window, Millis(30000));
  EXPECT_EQ(subscription.circuit.probe_initial, Millis(1000));
  EXPECT_EQ(subscription.circuit.probe_max, Millis(30000));
  EXPECT_EQ(subscription.commit_interval, Millis(100));
}

TEST(Subscriptions, ReadEveryField) {
  const Loaded loaded = LoadBetween(R"(rebalance: {drain: 2s}
subscriptions:
  - name: welcome
    topics: [user.events, "^audit\\..*$"]
    group: ielts-lms-group
    match: {type: "user.*", data.tenantId: t1}
    startFrom: 2026-11-23T20:15:30.5+02:00
    deadLetter: dlq.topic
    ordering: partition
    deliver:
      url: unix:/run/app.sock:/h/{type}
      mode: structured
      timeout: 1s
      concurrency: 7
      headers: [tenant, "x-*"]
      health: {path: /health, interval: 2s, timeout: 100ms, failures: 9}
    retry: {attempts: 3, backoff: {initial: 1s, max: 2s}}
    circuit: {failures: 4, keys: 2, window: 1m, probe: {initial: 2s, max: 3s}}
    commitInterval: 50ms
)");
  ASSERT_TRUE(loaded.ok()) << Shown(loaded);
  EXPECT_EQ(loaded.config.rebalance_drain, Millis(2000));
  const Subscription& subscription = loaded.config.subscriptions.at(0);
  EXPECT_EQ(subscription.topics.at(1).value, "^audit\\..*$");
  EXPECT_EQ(subscription.group, "ielts-lms-group");
  ASSERT_TRUE(subscription.match.type);
  EXPECT_EQ(subscription.match.type->value, "user.*");
  EXPECT_EQ(subscription.match.data.at(0).first, "tenantId");
  EXPECT_EQ(subscription.start_from.at, StartFrom::At::kTime);
  EXPECT_EQ(base::Rfc3339(subscription.start_from.time), "2026-11-23T18:15:30.500Z");
  EXPECT_EQ(subscription.dead_letter, "dlq.topic");
  EXPECT_EQ(subscription.ordering, Ordering::kPartition);
  EXPECT_EQ(subscription.deliver.mode, DeliverMode::kStructured);
  EXPECT_EQ(subscription.deliver.concurrency, 7U);
  EXPECT_EQ(subscription.deliver.headers, (std::vector<std::string>{"tenant", "x-*"}));
  ASSERT_TRUE(subscription.deliver.health);
  EXPECT_EQ(subscription.deliver.health->path, "/health");
  EXPECT_EQ(subscription.deliver.health->failures, 9U);
  EXPECT_EQ(subscription.retry.attempts, 3U);
  EXPECT_EQ(subscription.retry.backoff_max, Millis(2000));
  EXPECT_EQ(subscription.circuit.keys, 2U);
  EXPECT_EQ(subscription.circuit.probe_max, Millis(3000));
  EXPECT_EQ(subscription.commit_interval, Millis(50));
}

TEST(Subscriptions, TheGroupStartsWithTheEnvironmentsGroupId) {
  const Loaded loaded = LoadText(kHeader + "kafka: {groupId: file}\n" + kLeast, "c.yaml",
                                 test::Variables({{"KAFKA_GROUP_ID", "pods"}}));
  ASSERT_TRUE(loaded.ok()) << Shown(loaded);
  EXPECT_EQ(loaded.config.subscriptions.at(0).group, "pods.welcome");
}

TEST(Subscriptions, WhatIsWrongIsSaid) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"name: a b", "is not a name of a subscription"},
      {"name: ..", "is not a name of a subscription"},
      {"name: a/b", "is not a name of a subscription"},
      {"topics: []", "topics: is empty"},
      {"topics: t", "must be a list"},
      {"topics: [\"user.*\"]", "is not a topic name"},
      {"topics: [__consumer_offsets]", "Kafka's own"},
      {"topics: [t, t]", "appears here twice"},
      {"topics: [\"^(a\"]", "is not a regular expression"},
      {"topics: [\"^((a{9}){9}){9}\"]", "can take forever"},
      {"topics: [\"^(a)\\\\1\"]", "can take forever"},
      {"startFrom: yesterday", "must be earliest, latest or a time"},
      {"startFrom: 2026-13-01T00:00:00Z", "must be earliest, latest or a time"},
      {"deadLetter: \"{type}\"", "is not a topic name"},
      {"deadLetter: t", "is one of its own `topics`"},
      {"ordering: keys", "did you mean `key`?"},
      {"retry: {attempts: 0}", "from 1 to 1000"},
      {"retry: {attempts: 1001}", "from 1 to 1000"},
      {"retry: {backoff: {initial: 5s, max: 1s}}", "`initial` is more than `max`: 5s and 1s"},
      {"circuit: {probe: {initial: 31s}}", "`initial` is more than `max`"},
      {"circuit: {keys: 0}", "from 1 to 10000"},
      {"commitInterval: 1ms", "must be from 10ms to 1m"},
      {"nmae: a", "unknown field `nmae`"},
  };
  for (const auto& [line, expected] : cases) {
    std::string all = "name: a, topics: [t], deliver: {url: \"unix:/s:/\"}, ";
    const std::string field = line.substr(0, line.find(':'));
    if (field == "name") all = "topics: [t], deliver: {url: \"unix:/s:/\"}, ";
    if (field == "topics") all = "name: a, deliver: {url: \"unix:/s:/\"}, ";
    const Loaded loaded = LoadBetween("subscriptions:\n  - {" + all + line + "}\n");
    EXPECT_FALSE(loaded.ok()) << line;
    EXPECT_THAT(Shown(loaded), HasSubstr(expected)) << line;
  }
}

TEST(Subscriptions, AUrlIsHttpOrAUnixSocket) {
  for (const char* url : {"http://127.0.0.1:3000", "http://localhost/h/{type}?k={key}",
                          "http://[::1]:80/", "unix:/run/app.sock", "unix:/run/app.sock:/h/{type}"})
    EXPECT_TRUE(WithDeliver("url: \"" + std::string(url) + "\"").problems.empty()) << url;
  const std::vector<std::pair<std::string, std::string>> cases{
      {"ftp://a/", "is neither http:// nor unix:"},
      {"/h/{type}", "is neither http:// nor unix:"},
      {"https://127.0.0.1/", "https is not in this version"},
      {"http://", "does not name a host and a port"},
      {"http://{type}/", "does not name a host and a port"},
      {"http://a:99999/", "does not name a host and a port"},
      {"http://a b/", "has a blank"},
      {"http://a/\\r\\nX: y", "has a blank"},
      {"unix:run/app.sock", "does not name a socket and a path"},
      {"unix:/run/app.sock:h", "does not name a socket and a path"},
      {"", "is empty"},
  };
  for (const auto& [url, expected] : cases)
    EXPECT_THAT(Shown(WithDeliver("url: \"" + url + "\"")), HasSubstr(expected)) << url;
  EXPECT_THAT(Shown(WithDeliver("mode: raw")), HasSubstr("deliver.url: is missing"));
}

TEST(Subscriptions, DeliverHasBounds) {
  const std::string url = "url: \"http://a/\", ";
  EXPECT_THAT(Shown(WithDeliver(url + "concurrency: 0")), HasSubstr("from 1 to 10000"));
  EXPECT_THAT(Shown(WithDeliver(url + "concurrency: 10001")), HasSubstr("from 1 to 10000"));
  EXPECT_THAT(Shown(WithDeliver(url + "health: {interval: 1s}")),
              HasSubstr("health.path: is missing"));
  EXPECT_THAT(Shown(WithDeliver(url + "health: {path: up}")), HasSubstr("is not a path"));
  EXPECT_TRUE(WithDeliver(url + "concurrency: 10000").ok());
}

TEST(Subscriptions, WhatIsNotBuiltIsAnErrorThatSaysSo) {
  for (const char* line : {"dedupe: {entries: 100}", "replies: publish", "retry: {delays: [5s]}"})
    EXPECT_THAT(Shown(WithLines(line)), HasSubstr("not in this version")) << line;
  EXPECT_THAT(Shown(WithDeliver("url: \"http://a/\", mode: batch")),
              HasSubstr("`batch` is not in this version"));
  EXPECT_THAT(Shown(LoadBetween("subscriptions:\n  - {name: a, topics: [t]}\n")),
              HasSubstr("subscriptions[0].deliver: is missing"));
}

TEST(Subscriptions, NamesAndGroupsAreTheirOwn) {
  const auto two = [](const std::string& first, const std::string& second) {
    const std::string url = ", deliver: {url: \"http://a/\"}}\n";
    return Shown(LoadBetween("subscriptions:\n  - {" + first + url + "  - {" + second + url));
  };
  EXPECT_THAT(
      two("name: a, topics: [t]", "name: a, topics: [t]"),
      HasSubstr(
          "c.yaml:5:5: subscriptions[1].name: `a` is the name of subscriptions[0] on line 4 too"));
  EXPECT_EQ(two("name: a, topics: [t]", "name: b, topics: [u]"), "");
}

TEST(Subscriptions, MayShareAGroup) {
  const Loaded loaded = LoadBetween(
      "subscriptions:\n"
      "  - {name: a, topics: [t], group: g, deliver: {url: \"http://a/\"}}\n"
      "  - {name: b, topics: [t, u], group: g, deliver: {url: \"http://b/\"}}\n"
      "  - {name: c, topics: [u], group: outrigger.d, deliver: {url: \"http://b/\"}}\n"
      "  - {name: d, topics: [u], deliver: {url: \"http://b/\"}}\n");
  EXPECT_EQ(Shown(loaded), "");
  ASSERT_EQ(loaded.config.subscriptions.size(), 4U);
  EXPECT_EQ(loaded.config.subscriptions[1].group, "g");
  EXPECT_EQ(loaded.config.subscriptions[3].group, "outrigger.d");
}

TEST(Subscriptions, OfOneGroupBeginAtOnePlace) {
  const auto group = [](const std::string& first, const std::string& second) {
    const std::string rest = ", topics: [t], group: g, deliver: {url: \"http://a/\"}}\n";
    return Shown(LoadBetween("subscriptions:\n  - {name: a" + first + rest + "  - {name: b" +
                             second + rest));
  };
  EXPECT_THAT(
      group("", ", startFrom: latest"),
      HasSubstr("c.yaml:5:5: subscriptions[1].startFrom: the group `g` begins at one place, "
                "but `b` says latest and `a` (subscriptions[0] on line 4, column 5) "
                "earliest"));
  EXPECT_THAT(group(", startFrom: 2026-01-01T00:00:00Z", ", startFrom: 2026-01-02T00:00:00Z"),
              HasSubstr("2026-01-02T00:00:00.000Z and `a`"));
  EXPECT_EQ(group(", startFrom: latest", ", startFrom: latest"), "");
  EXPECT_EQ(group("", ", startFrom: earliest"), "");
}

TEST(Subscriptions, OfOneGroupAreNotMoreThanACommitHasRoomFor) {
  std::string yaml = "subscriptions:\n";
  for (size_t n = 0; n < kMostInGroup; ++n)
    yaml += "  - {name: s" + std::to_string(n) +
            ", topics: [t], group: g, deliver: {url: \"http://a/\"}}\n";
  EXPECT_EQ(Shown(LoadBetween(yaml)), "");
  EXPECT_THAT(
      Shown(LoadBetween(
          yaml + "  - {name: more, topics: [t], group: g, deliver: {url: \"http://a/\"}}\n")),
      HasSubstr("subscriptions[32].group: `more` is one too many in the group `g`, which "
                "began with `s0` (subscriptions[0] on line 4)"));
}

TEST(Subscriptions, DrainHasABound) {
  EXPECT_THAT(Shown(LoadBetween("rebalance: {drain: 10m}\n")),
              HasSubstr("rebalance.drain: must be from 0s to 4m"));
}

TEST(Values, TimesAreRfc3339) {
  const auto shown = [](std::string_view text) {
    const auto time = ParseRfc3339(text);
    return time ? base::Rfc3339(*time) : std::string();
  };
  EXPECT_EQ(shown("2026-11-23T20:15:30Z"), "2026-11-23T20:15:30.000Z");
  EXPECT_EQ(shown("2024-02-29t23:59:59.123456789z"), "2024-02-29T23:59:59.123Z");
  EXPECT_EQ(shown("2026-01-01T00:30:00+01:00"), "2025-12-31T23:30:00.000Z");
  EXPECT_EQ(shown("2026-01-01 00:30:00-00:30"), "2026-01-01T01:00:00.000Z");
  for (const char* bad :
       {"", "2026", "2026-11-23", "2026-11-23T20:15Z", "2026-11-23T20:15:30",
        "2026-02-29T00:00:00Z", "2026-11-23T24:00:00Z", "2026-11-23T20:60:00Z",
        "2026-11-23T20:15:30.Z", "2026-11-23T20:15:30+0100", "2026-11-23T20:15:30Zz",
        "2026-11-23T20:15:30+25:00", "26-11-23T20:15:30Z", "+026-11-23T20:15:30Z",
        "9999-11-23T20:15:30Z", "1969-12-31T23:59:59Z", "2026-11-23T20:15:30.1234567890Z",
        "2026-11-23T20:15:3"})
    EXPECT_EQ(shown(bad), "") << bad;
}

// Subscriptions that are "<topics> > <dead-letter topic>", named a, b, c …
Loaded WithLetters(const std::vector<std::pair<std::string, std::string>>& each) {
  std::string text = "subscriptions:\n";
  char name = 'a';
  for (const auto& [topics, dead_letters] : each) {
    text += std::string("  - {name: ") + name++ + ", topics: [" + topics +
            "], deliver: {url: \"unix:/s:/\"}";
    if (!dead_letters.empty()) text += ", deadLetter: " + dead_letters;
    text += "}\n";
  }
  return LoadBetween(text);
}

TEST(DeadLetterLoops, AreRefusedWithTheWayThatAnEventWouldGo) {
  const Loaded two = WithLetters({{"x", "y"}, {"y", "x"}});
  ASSERT_EQ(two.problems.size(), 1U) << Shown(two);
  EXPECT_EQ(two.problems[0].path, "subscriptions[0].deadLetter");
  EXPECT_THAT(two.problems[0].message, HasSubstr("`a` -> y -> `b` -> x -> `a`"));
  const Loaded three = WithLetters({{"t", ""}, {"x", "y"}, {"z", "x"}, {"w, y", "z"}});
  ASSERT_EQ(three.problems.size(), 1U) << Shown(three);
  EXPECT_THAT(three.problems[0].message, HasSubstr("`b` -> y -> `d` -> z -> `c` -> x -> `b`"));
  for (const auto& loop : {std::pair{"\"^x[.].*\"", "y.dlq"}, std::pair{"\"^[xy][.].*\"", "y.dlq"}})
    EXPECT_FALSE(WithLetters({{loop.first, loop.second}, {"\"^y[.].*\"", "x.dlq"}}).ok());
  EXPECT_FALSE(WithLetters({{"x", "x"}}).ok());
}

TEST(DeadLetterLoops, AWayThatEndsIsNone) {
  for (const auto& each : std::vector<std::vector<std::pair<std::string, std::string>>>{
           {{"x", "dlq"}, {"y", "dlq"}},
           {{"x", "x.dlq"}, {"x.dlq", "x.dead"}},
           {{"x", "y"}, {"y", "z"}, {"z", ""}},
           {{"\"^x[.].*\"", "x.dlq"}},
           {{"\"^x[.].*\"", "x.dlq"}, {"\"^x[.].*\"", "x.dlq"}},
           {{"\"^x[.].*\"", "dlq"}, {"dlq", "dead"}}})
    EXPECT_TRUE(WithLetters(each).ok()) << Shown(WithLetters(each));
}

}  // namespace
}  // namespace outrigger::config
