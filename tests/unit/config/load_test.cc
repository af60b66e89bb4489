#include "config/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "support/config_text.h"

namespace outrigger::config {
namespace {

using test::kGoodFile;
using test::kHeader;
using test::LoadBetween;
using test::LoadYaml;
using test::NoEnvironment;
using test::Shown;
using test::Variables;
using testing::HasSubstr;

TEST(Load, WithoutAFileGivesTheDefaultsOfTheReference) {
  const Loaded loaded = Load("", NoEnvironment());
  ASSERT_TRUE(loaded.ok()) << Shown(loaded);
  EXPECT_TRUE(loaded.problems.empty());
  const Config& config = loaded.config;
  EXPECT_TRUE(config.kafka.enabled);
  EXPECT_EQ(config.kafka.brokers, std::vector<std::string>{"localhost:9092"});
  EXPECT_EQ(config.kafka.client_id, "outrigger");
  EXPECT_EQ(config.kafka.group_id, "outrigger");
  EXPECT_FALSE(config.kafka.required);
  EXPECT_EQ(config.kafka.security, Security());
  EXPECT_EQ(config.kafka.security.protocol, "PLAINTEXT");
  EXPECT_EQ(config.http.listen, "127.0.0.1:8800");
  EXPECT_EQ(config.http.max_body, 1048576U);
  EXPECT_EQ(config.http.max_header, 16384U);
  EXPECT_EQ(config.http.max_bodies, 64U << 20);
  EXPECT_EQ(config.http.max_answers, 32U << 20);
  EXPECT_EQ(config.http.max_trailer, 8192U);
  EXPECT_EQ(config.http.max_connections, 1024U);
  EXPECT_EQ(config.http.head_timeout, Millis(5000));
  EXPECT_EQ(config.http.body_timeout, Millis(10000));
  EXPECT_EQ(config.http.idle_timeout, Millis(60000));
  EXPECT_EQ(config.http.ack_timeout, Millis(5000));
  EXPECT_FALSE(config.http.rate);
  EXPECT_TRUE(config.http.raw_topics.empty());
  EXPECT_FALSE(config.spool.enabled());
  EXPECT_EQ(config.spool.max_bytes, 1U << 30);
  EXPECT_EQ(config.spool.after, Millis(250));
  EXPECT_EQ(config.ops.listen, "[::]:8801");
  EXPECT_EQ(config.log.level, "info");
  EXPECT_EQ(config.log.format, "json");
  EXPECT_EQ(config.shutdown_budget, Millis(25000));
  ASSERT_EQ(config.routes.size(), 1U);
  const Route& route = config.routes.front();
  EXPECT_EQ(route.topic.value, "{type.first}.events");
  EXPECT_FALSE(route.key);
  EXPECT_EQ(route.mode, RecordMode::kBinary);
  EXPECT_EQ(route.version, "1.0");
  EXPECT_EQ(route.max_topics, 100U);
  EXPECT_EQ(route.on_invalid, OnInvalid::kReject);
  EXPECT_EQ(route.ack, Ack::kKafka);
}

TEST(Load, AFileThatSaysNothingMoreHasTheSameDefaults) {
  const Loaded file = LoadBetween("");
  ASSERT_TRUE(file.ok()) << Shown(file);
  const Loaded none = Load("", NoEnvironment());
  EXPECT_EQ(file.config.http.listen, none.config.http.listen);
  EXPECT_EQ(file.config.http.max_body, none.config.http.max_body);
  EXPECT_EQ(file.config.kafka.brokers, none.config.kafka.brokers);
  EXPECT_EQ(file.config.shutdown_budget, none.config.shutdown_budget);
}

TEST(Load, AFileThatIsNotThereIsAnErrorThatNamesIt) {
  const Loaded loaded = Load("/nowhere/at/all.yaml", NoEnvironment());
  EXPECT_FALSE(loaded.ok());
  EXPECT_THAT(Shown(loaded), HasSubstr("/nowhere/at/all.yaml: can't be read: No such file"));
  EXPECT_FALSE(Load("/tmp", NoEnvironment()).ok());
}

TEST(Load, ReadsEveryFieldOfAGoodFile) {
  const Loaded loaded = LoadYaml(kGoodFile);
  ASSERT_TRUE(loaded.ok()) << Shown(loaded);
  const Config& config = loaded.config;
  EXPECT_EQ(config.kafka.brokers, (std::vector<std::string>{"kafka-0:9092", "kafka-1:9092"}));
  EXPECT_TRUE(config.kafka.required);
  EXPECT_EQ(config.kafka.properties.at("socket.keepalive.enable").value, "true");
  EXPECT_EQ(config.kafka.producer_properties.at("compression.type").value, "lz4");
  EXPECT_EQ(config.http.max_body, 2U << 20);
  EXPECT_EQ(config.http.head_timeout, Millis(90'000));
  EXPECT_EQ(config.http.ack_timeout, Millis(250));
  ASSERT_TRUE(config.http.rate);
  EXPECT_EQ(config.http.rate->burst, 10000);
  EXPECT_EQ(config.log.format, "text");
  ASSERT_EQ(config.routes.size(), 2U);
  const Route& route = config.routes[0];
  EXPECT_EQ(route.match.type->value, "user.*");
  ASSERT_EQ(route.match.data.size(), 1U);
  EXPECT_EQ(route.match.data[0].first, "tenantId");
  EXPECT_EQ(route.match.headers[0].first, "region");
  EXPECT_EQ(route.match.extensions[0].first, "tenant");
  EXPECT_EQ(route.topic.path, "routes[0].topic");
  EXPECT_EQ(route.topic.place.line, 26);
  EXPECT_TRUE(route.key_required);
  EXPECT_TRUE(route.continues);
  ASSERT_EQ(route.defaults.size(), 3U);
  EXPECT_EQ(route.defaults[0].second.value, "$now");
  EXPECT_EQ(route.defaults[1].second.value, "1");
  EXPECT_EQ(route.defaults[2].second.value, R"([1,"two"])");
  EXPECT_EQ(route.mode, RecordMode::kStructured);
  EXPECT_EQ(route.version, "2.0");
  EXPECT_EQ(route.timestamp, RecordTime::kEvent);
  EXPECT_EQ(config.routes[1].timestamp, RecordTime::kNow);
  EXPECT_EQ(route.ack, Ack::kMemory);
}

TEST(Load, AWrongOrMissingHeadIsReported) {
  EXPECT_THAT(Shown(LoadYaml("routes: []\n")), HasSubstr("apiVersion: is missing"));
  EXPECT_THAT(Shown(LoadYaml("apiVersion: outrigger/v2\nkind: Pod\n")),
              HasSubstr("c.yaml:1:1: apiVersion: must be `outrigger/v1`, not `outrigger/v2`"));
  for (const char* nothing : {"", "# only this\n", "---\n", "~\n", "\n\n"})
    EXPECT_THAT(Shown(LoadYaml(nothing)), HasSubstr("is empty")) << nothing;
  for (const char* other : {"text\n", "[a, b]\n", "- a\n", "\"\"\n"})
    EXPECT_FALSE(LoadYaml(other).ok()) << other;
}

TEST(Load, AbsentRoutesAreTheDefaultOneAndAnEmptyListIsAWarning) {
  const Loaded absent = LoadYaml(kHeader);
  EXPECT_TRUE(absent.ok());
  ASSERT_EQ(absent.config.routes.size(), 1U);
  EXPECT_EQ(absent.config.routes[0].topic.value, "{type.first}.events");
  const Loaded empty = LoadYaml(kHeader + "routes: []\n");
  EXPECT_TRUE(empty.ok());
  EXPECT_TRUE(empty.config.routes.empty());
  EXPECT_THAT(Shown(empty), HasSubstr("warning: has no routes"));
}

TEST(Load, GenerationTellsFilesAndEnvironmentsApart) {
  const auto generation = [](const std::string& yaml, const Environment& environment) {
    return LoadText(yaml, "c.yaml", environment).config.generation;
  };
  const std::string one = generation(kGoodFile, NoEnvironment());
  EXPECT_EQ(one.size(), 16U);
  EXPECT_EQ(generation(kGoodFile, NoEnvironment()), one);
  EXPECT_NE(generation(kGoodFile + "#\n", NoEnvironment()), one);
  EXPECT_NE(generation(kGoodFile, Variables({{"KAFKA_CLIENT_ID", "x"}})), one);
  EXPECT_EQ(generation(kGoodFile, Variables({{"OTHER", "x"}})), one);
}

// ---- environment

TEST(Environment, OverridesTheFile) {
  const Loaded loaded = LoadText(kGoodFile, "c.yaml",
                                 Variables({{"KAFKA_ENABLED", "false"},
                                            {"KAFKA_BROKERS", " a:1 , b:2,"},
                                            {"KAFKA_CLIENT_ID", "client"},
                                            {"KAFKA_GROUP_ID", "group"},
                                            {"REQUIRE_KAFKA", "0"}}));
  ASSERT_TRUE(loaded.ok()) << Shown(loaded);
  EXPECT_FALSE(loaded.config.kafka.enabled);
  EXPECT_EQ(loaded.config.kafka.brokers, (std::vector<std::string>{"a:1", "b:2"}));
  EXPECT_EQ(loaded.config.kafka.client_id, "client");
  EXPECT_EQ(loaded.config.kafka.group_id, "group");
  EXPECT_FALSE(loaded.config.kafka.required);
}

TEST(Environment, AnEmptyVariableIsNone) {
  const Loaded loaded =
      LoadText(kGoodFile, "c.yaml", Variables({{"KAFKA_BROKERS", " "}, {"KAFKA_ENABLED", ""}}));
  EXPECT_TRUE(loaded.ok());
  EXPECT_EQ(loaded.config.kafka.brokers.size(), 2U);
}

TEST(Environment, AWrongVariableIsAnErrorThatNamesItBesideThoseOfTheFile) {
  const Loaded loaded = LoadText(kHeader + "nope: 1\n", "c.yaml",
                                 Variables({{"KAFKA_ENABLED", "maybe"},
                                            {"KAFKA_BROKERS", "http://a,embedded"},
                                            {"REQUIRE_KAFKA", "2"}}));
  const std::string shown = Shown(loaded);
  EXPECT_THAT(shown, HasSubstr("nope"));
  for (const char* name : {"KAFKA_ENABLED", "KAFKA_BROKERS", "REQUIRE_KAFKA"})
    EXPECT_THAT(shown, HasSubstr(std::string("environment variable ") + name));
  EXPECT_THAT(shown, HasSubstr("names a protocol"));
}

// ---- problems of fields

TEST(Fields, AllUnknownOnesAreReportedAtOnceWithPlacePathAndNearestName) {
  const Loaded loaded = LoadYaml(kHeader +
                                 "htpp: {}\n"
                                 "http:\n"
                                 "  maxbody: 1MiB\n"
                                 "  head_timeout: 1s\n"
                                 "routes:\n"
                                 "  - topics: a\n"
                                 "    topic: b\n"
                                 "    match: {tpye: x, datta.a: b}\n"
                                 "zzzzzzzzzzzz: 1\n");
  const std::string shown = Shown(loaded);
  for (const char* line :
       {"c.yaml:3:1: htpp: unknown field `htpp` (did you mean `http`?)",
        "c.yaml:5:3: http.maxbody: unknown field `maxbody` (did you mean `maxBody`?)",
        "c.yaml:6:3: http.head_timeout: unknown field `head_timeout` (did you mean `headTimeout`?)",
        "c.yaml:8:5: routes[0].topics: unknown field `topics` (did you mean `topic`?)",
        "c.yaml:10:13: routes[0].match.tpye: unknown field `tpye` (did you mean `type`?)",
        "c.yaml:11:1: zzzzzzzzzzzz: unknown field `zzzzzzzzzzzz` (known here: `apiVersion`"})
    EXPECT_THAT(shown, HasSubstr(line));
  EXPECT_THAT(shown, HasSubstr("routes[0].match.datta.a"));
  EXPECT_EQ(loaded.problems.size(), 7U) << shown;
}

TEST(Fields, AWrongValueIsReportedWithWhatWasExpected) {
  const std::pair<const char*, const char*> cases[] = {
      {"http: {maxBody: 1 MiB}\n", "http.maxBody: must be a size"},
      {"http: {maxBody: -1}\n", "http.maxBody: must be a size"},
      {"http: {maxBody: 0}\n", "http.maxBody: must be from 1B to 256MiB"},
      {"http: {maxBody: 1GiB}\n", "http.maxBody: must be from 1B to 256MiB"},
      {"http: {headTimeout: 5}\n", "http.headTimeout: must be a duration"},
      {"http: {headTimeout: 2h}\n", "http.headTimeout: must be from 1ms to 1h"},
      {"http: {maxConnections: 1.5}\n", "http.maxConnections: must be a whole number"},
      {"http: {maxConnections: 0}\n", "from 1 to 65536"},
      {"http: {listen: \"example.com:80\"}\n", "http.listen: must be an address and a port"},
      {"http: {listen: \"127.0.0.1\"}\n", "http.listen: must be an address and a port"},
      {"http: {rate: {burst: 5}}\n", "http.rate.events: is missing"},
      {"http: {rawTopics: a}\n", "http.rawTopics: must be a list"},
      {"http: {tokenFile: /nowhere}\n", "http.tokenFile: the file /nowhere can't be read"},
      {"http: []\n", "http: must be a mapping"},
      {"http: {listen: }\n", "http.listen: has no value"},
      {"kafka: {enabled: yes}\n", "kafka.enabled: must be true or false"},
      {"kafka: {enabled: \"true\"}\n", "(remove the quotes)"},
      {"kafka: {brokers: []}\n", "kafka.brokers: is empty"},
      {"kafka: {brokers: [embedded, \"a:1\"]}\n", "kafka.brokers[0]: `embedded` can't be combined"},
      {"kafka: {brokers: [\"a:99999\"]}\n", "kafka.brokers[0]: `a:99999` is not a broker address"},
      {"log: {level: wran}\n", "did you mean `warn`?"},
      {"kafka: {security: {protocol: SASL_SSL}}\n", "kafka.security.mechanism: is missing"},
      {"kafka: {security: {username: a}}\n", "has no effect with this protocol"},
  };
  for (const auto& [yaml, expected] : cases) {
    const Loaded loaded = LoadBetween(yaml);
    EXPECT_FALSE(loaded.ok()) << yaml;
    EXPECT_THAT(Shown(loaded), HasSubstr(expected)) << yaml;
    EXPECT_EQ(loaded.problems.front().place.line, 3) << yaml;
  }
}

TEST(Fields, OfARouteAreChecked) {
  const std::pair<const char*, const char*> cases[] = {
      {"{key: a}", "routes[0].topic: is missing"},
      {"{topic: \"a b\"}", "is not a topic name"},
      {"{topic: __consumer_offsets}", "a topic can't start with `__`"},
      {"{topic: a, onInvalid: deadLetter}", "routes[0].onInvalid: needs `deadLetter`"},
      {"{topic: a, ack: dsk}", "did you mean `disk`?"},
      {"{topic: a, headers: {ce_id: x}}", "headers named ce_* are the sidecar's own"},
      {"{topic: a, headers: {outrigger-x: x}}", "the sidecar's own"},
      {"{topic: a, headers: {CE_id: x}}", "the sidecar's own"},
      {"{topic: a, headers: {Content-Type: x}}", "the content type is the data's own"},
      {"{topic: a, timestamp: tiem}", "did you mean `time`?"},
      {"{topic: a, defaults: {data.a: $nwo}}", "is not a stamp"},
      {"{topic: a, defaults: {data.a: [$now]}}", "is inside a value"},
      {"{topic: a, mode: binry}", "did you mean `binary`?"},
      {"{topic: a, match: {type: [a]}}", "must be one value, not a list"},
      {"text", "must be a mapping"},
  };
  for (const auto& [route, expected] : cases) {
    const Loaded loaded = LoadYaml(kHeader + "routes:\n  - " + route + "\n");
    EXPECT_FALSE(loaded.ok()) << route;
    EXPECT_THAT(Shown(loaded), HasSubstr(expected)) << route;
  }
}

TEST(Fields, ARouteThatIsNeverReachedIsAWarning) {
  const Loaded loaded = LoadYaml(kHeader + "routes:\n  - topic: a\n  - topic: b\n");
  EXPECT_TRUE(loaded.ok());
  EXPECT_THAT(Shown(loaded), HasSubstr("routes[1]: is never reached: routes[0] on line 4"));
}

TEST(Fields, NotOfThisVersionAreErrorsThatSaySo) {
  for (const char* yaml :
       {"topics: []\n", "kafka: {security: {protocol: SASL_SSL, mechanism: OAUTHBEARER}}\n"}) {
    const Loaded loaded = LoadBetween(yaml);
    EXPECT_FALSE(loaded.ok()) << yaml;
    EXPECT_THAT(Shown(loaded), HasSubstr("not in this version")) << yaml;
    EXPECT_EQ(loaded.problems.front().place.line, 3) << yaml;
  }
}

TEST(Fields, ReservedLibrdkafkaPropertiesAreRefusedEverywhere) {
  for (const char* name : {"acks",
                           "request.required.acks",
                           "enable.idempotence",
                           "transactional.id",
                           "message.timeout.ms",
                           "retries",
                           "partitioner",
                           "linger.ms",
                           "queue.buffering.max.messages",
                           "enable.auto.commit",
                           "bootstrap.servers",
                           "client.id",
                           "group.id",
                           "security.protocol",
                           "sasl.password",
                           "ssl.ca.location",
                           "ssl.certificate.location",
                           "test.mock.num.brokers",
                           "plugin.library.paths",
                           "statistics.interval.ms",
                           "dr_msg_cb",
                           "enabled_events",
                           "offset.store.method",
                           "max.in.flight.requests.per.connection"}) {
    for (const char* start : {"kafka: {properties: {", "kafka: {producer: {properties: {",
                              "kafka: {consumer: {properties: {"}) {
      const std::string end =
          std::string(start).find("r: {") == std::string::npos ? "}}\n" : "}}}\n";
      const Loaded loaded = LoadBetween(std::string(start) + name + ": x" + end);
      EXPECT_FALSE(loaded.ok()) << name;
      EXPECT_THAT(Shown(loaded), HasSubstr("is reserved")) << start << name;
      EXPECT_THAT(Shown(loaded), HasSubstr(std::string("properties.") + name));
    }
  }
  EXPECT_TRUE(LoadBetween("kafka: {properties: {socket.timeout.ms: 1000}}\n").ok());
  EXPECT_THAT(Shown(LoadBetween("kafka: {properties: {client.id: a}}\n")),
              HasSubstr("use `kafka.clientId`"));
}

TEST(Fields, APropertyOfATopicIsReservedUnderItsOldNameToo) {
  for (const char* name : {"topic.acks", "topic.message.timeout.ms", "topic.partitioner"})
    EXPECT_THAT(Shown(LoadBetween(std::string("kafka: {properties: {") + name + ": 0}}\n")),
                HasSubstr(std::string("kafka.properties.") + name + ": is reserved"));
  EXPECT_TRUE(
      LoadBetween("kafka: {properties: {topic.metadata.refresh.interval.ms: 1000}}\n").ok());
}

TEST(Fields, ATopicTemplateWritesNoCharacterThatATopicCannotHave) {
  for (const char* topic : {"{{type}}", "a b{type}", "{type}/x", "{type}}}", "__{type}"})
    EXPECT_THAT(Shown(LoadYaml(kHeader + "routes: [{topic: \"" + topic + "\"}]\n")),
                HasSubstr("routes[0].topic: "))
        << topic;
  for (const char* topic : {"{type}", "a.{type.first}_{data.x}-b", "{type}{id}"})
    EXPECT_TRUE(LoadYaml(kHeader + "routes: [{topic: \"" + topic + "\"}]\n").ok()) << topic;
}

TEST(Fields, BothPortsAtOneAddressAreAnErrorWhereverTheyMeet) {
  for (const char* lines :
       {"http: {listen: \"127.0.0.1:9000\"}\nops: {listen: \"127.0.0.1:9000\"}\n",
        "http: {listen: \"localhost:9000\"}\nops: {listen: \"0.0.0.0:9000\"}\n",
        "http: {listen: \"127.0.0.1:8801\"}\n", "ops: {listen: \"[::]:8800\"}\n"})
    EXPECT_THAT(Shown(LoadBetween(lines)), HasSubstr("http.listen and ops.listen share port"))
        << lines;
  for (const char* lines :
       {"http: {listen: \"127.0.0.1:9000\"}\nops: {listen: \"127.0.0.2:9000\"}\n",
        "http: {listen: \"127.0.0.1:0\"}\nops: {listen: \"127.0.0.1:0\"}\n"})
    EXPECT_TRUE(LoadBetween(lines).ok()) << lines;
}

TEST(Fields, ANumberInQuotesIsATextAndAnEmptyMappingIsNone) {
  EXPECT_THAT(Shown(LoadBetween("http: {maxConnections: \"5\"}\n")),
              HasSubstr("remove the quotes"));
  EXPECT_TRUE(LoadBetween("http:\nkafka:\n  security:\nlog:\nsubscriptions:\n").ok());
}

TEST(Fields, AnotherListenAddressThanLoopbackIsAWarning) {
  const Loaded loaded = LoadBetween("http: {listen: \"0.0.0.0:8800\"}\n");
  EXPECT_TRUE(loaded.ok());
  EXPECT_THAT(Shown(loaded), HasSubstr("warning: http.listen: other machines can reach"));
  for (const char* address : {"127.0.0.1:1", "localhost:1", "[::1]:1", "127.1.2.3:1"})
    EXPECT_TRUE(LoadBetween(std::string("http: {listen: \"") + address + "\"}\n").problems.empty());
}

TEST(Fields, AllBodiesTogetherHaveRoomForTheLargestOne) {
  EXPECT_TRUE(LoadBetween("http: {maxBody: 64MiB}\n").ok());
  EXPECT_THAT(Shown(LoadBetween("http: {maxBody: 65MiB}\n")),
              HasSubstr("http.maxBody: http.maxBodies is smaller than http.maxBody"));
  EXPECT_TRUE(LoadBetween("http: {maxBody: 65MiB, maxBodies: 1GiB}\n").ok());
}

TEST(Spool, ReadsItsFields) {
  const Loaded loaded = LoadText(kHeader + "spool: {path: spool, maxBytes: 16MiB, after: 0ms}\n",
                                 "/etc/outrigger/outrigger.yaml", NoEnvironment());
  ASSERT_TRUE(loaded.problems.empty()) << Shown(loaded);
  EXPECT_TRUE(loaded.config.spool.enabled());
  EXPECT_EQ(loaded.config.spool.path, "/etc/outrigger/spool");
  EXPECT_EQ(loaded.config.spool.max_bytes, 16U << 20);
  EXPECT_EQ(loaded.config.spool.after, Millis(0));
}

TEST(Spool, AWrongFieldIsReportedWithWhatWasExpected) {
  const std::pair<const char*, const char*> cases[] = {
      {"spool: {path: \"\"}\n", ":3:9: spool.path: is empty"},
      {"spool: {path: /s, maxBytes: 15MiB}\n",
       ":3:19: spool.maxBytes: must be from 16MiB to 1024GiB"},
      {"spool: {path: /s, after: -1s}\n", ":3:19: spool.after: "},
      {"spool: {path: /s, maxbytes: 1GiB}\n", "did you mean `maxBytes`?"},
  };
  for (const auto& [yaml, expected] : cases) {
    const Loaded loaded = LoadBetween(yaml);
    EXPECT_FALSE(loaded.ok()) << yaml;
    EXPECT_THAT(Shown(loaded), HasSubstr(expected)) << yaml;
  }
}

TEST(Spool, AnEventReachesItBeforeItWouldBeAnswered503) {
  EXPECT_TRUE(LoadBetween("spool: {path: /s, after: 4999ms}\n").ok());
  EXPECT_THAT(Shown(LoadBetween("spool: {path: /s, after: 5s}\n")),
              HasSubstr(":3:19: spool.after: spool.after (5s) is not less than http.ackTimeout "
                        "(5s) (an event has to reach the spool"));
  EXPECT_THAT(Shown(LoadBetween("http: {ackTimeout: 200ms}\nspool: {path: /s}\n")),
              HasSubstr(":3:8: http.ackTimeout: spool.after (250ms) is not less than "
                        "http.ackTimeout (200ms)"));
  EXPECT_TRUE(LoadBetween("http: {ackTimeout: 200ms}\n").ok());
}

TEST(Spool, HasRoomForTheLargestEventInTheHalfThatATopicMayHave) {
  EXPECT_TRUE(LoadBetween("spool: {path: /s, maxBytes: 16MiB}\nhttp: {maxBody: 8MiB}\n").ok());
  EXPECT_THAT(Shown(LoadBetween("spool: {path: /s, maxBytes: 16MiB}\nhttp: {maxBody: 9MiB}\n")),
              HasSubstr(":3:19: spool.maxBytes: spool.maxBytes (16MiB) is less than twice "
                        "http.maxBody (9MiB)"));
}

TEST(Spool, IsNeededByARouteThatAcknowledgesFromTheDisk) {
  const std::string routes = "routes:\n  - {topic: a, ack: kafka}\n  - {topic: b, ack: disk}\n";
  EXPECT_THAT(
      Shown(LoadYaml(kHeader + routes)),
      HasSubstr(":5:16: routes[1].ack: `disk` needs a spool, and spool.path is not set (add "
                "`spool: {path: /var/lib/outrigger}`"));
  const Loaded loaded = LoadYaml(kHeader + routes + "spool: {path: /s}\n");
  EXPECT_TRUE(loaded.ok()) << Shown(loaded);
  EXPECT_EQ(loaded.config.routes[1].ack, Ack::kDisk);
}

TEST(Spool, WithoutAPathItsOtherFieldsAreAWarning) {
  const Loaded loaded = LoadBetween("spool: {maxBytes: 2GiB}\n");
  EXPECT_TRUE(loaded.ok());
  EXPECT_THAT(Shown(loaded), HasSubstr("c.yaml:3:1: warning: spool: has no effect without `path`"));
  EXPECT_TRUE(LoadBetween("spool:\n").problems.empty());
}

TEST(Memory, TheBudgetIsByTheContainerUnlessItIsGiven) {
  EXPECT_EQ(LoadBetween("").config.memory_budget, std::nullopt);
  const Loaded loaded = LoadBetween("memory: {budget: 128MiB}\n");
  ASSERT_TRUE(loaded.problems.empty()) << Shown(loaded);
  EXPECT_EQ(loaded.config.memory_budget, 128U << 20);
}

TEST(Memory, ABudgetThatIsTooSmallSaysWhatWouldDo) {
  const Loaded loaded = LoadBetween("memory: {budget: 4MiB}\n");
  EXPECT_FALSE(loaded.ok());
  EXPECT_THAT(Shown(loaded), HasSubstr(":3:10: memory.budget: 4MiB is too little for events of "
                                       "1MiB (http.maxBody) (at least 5MiB; by default"));
  EXPECT_TRUE(LoadBetween("memory: {budget: 5MiB}\n").ok());
  EXPECT_FALSE(LoadBetween("memory: {budget: 0}\n").ok());
  EXPECT_FALSE(LoadBetween("memory: {budget: much}\n").ok());
}

TEST(Memory, GroupsAndLargeEventsNeedMore) {
  const std::string one =
      "  - {name: a, topics: [t], deliver: {url: \"unix:/s:/\"}}\n"
      "  - {name: b, topics: [t], deliver: {url: \"unix:/s:/\"}}\n";
  const Loaded loaded = LoadBetween("memory: {budget: 25MiB}\nsubscriptions:\n" + one);
  EXPECT_THAT(Shown(loaded), HasSubstr("25MiB is too little for 2 groups, 2 subscriptions and "
                                       "events of 1MiB (http.maxBody) (at least 26MiB"));
  EXPECT_TRUE(LoadBetween("memory: {budget: 26MiB}\nsubscriptions:\n" + one).ok());
  EXPECT_THAT(Shown(LoadBetween("memory: {budget: 26MiB}\nhttp: {maxBody: 32MiB}\n")),
              HasSubstr("26MiB is too little for events of 32MiB"));
}

TEST(Fields, APasswordInTheFileIsAWarningAndNeverShown) {
  const Loaded loaded = LoadBetween(
      "kafka: {security: {protocol: SASL_SSL, mechanism: PLAIN, username: u, password: "
      "hunter2}}\n");
  EXPECT_TRUE(loaded.ok());
  EXPECT_THAT(Shown(loaded), HasSubstr("warning: kafka.security.password"));
  EXPECT_THAT(Shown(loaded), Not(HasSubstr("hunter2")));
}

TEST(Load, PathsAreRelativeToTheFile) {
  char name[] = "/tmp/outrigger-config-XXXXXX";
  const std::string folder = mkdtemp(name);
  std::ofstream(folder + "/token") << "secret";
  std::ofstream(folder + "/c.yaml")
      << kHeader << "http: {tokenFile: token}\nroutes:\n  - {topic: a, schemas: schemas}\n";
  const Loaded loaded = Load(folder + "/c.yaml", NoEnvironment());
  EXPECT_TRUE(loaded.ok()) << Shown(loaded);
  EXPECT_EQ(loaded.config.http.token_file, folder + "/token");
  ASSERT_EQ(loaded.config.routes.size(), 1U);
  EXPECT_EQ(loaded.config.routes[0].schemas->value, folder + "/schemas");
  std::filesystem::remove_all(folder);
}

TEST(Load, AFileThatHoldsNothingIsNoSecret) {
  char name[] = "/tmp/outrigger-config-XXXXXX";
  const std::string folder = mkdtemp(name);
  std::ofstream(folder + "/token") << "\n";
  std::ofstream(folder + "/c.yaml") << kHeader << "http: {tokenFile: token}\n";
  const Loaded loaded = Load(folder + "/c.yaml", NoEnvironment());
  EXPECT_THAT(Shown(loaded), HasSubstr("http.tokenFile: the file " + folder + "/token is empty"));
  std::filesystem::remove_all(folder);
}

TEST(Load, TenThousandRoutesAreAllThereAndInOrder) {
  std::string yaml = kHeader + "routes:\n";
  for (int i = 0; i < 10'000; ++i) {
    const std::string n = std::to_string(i);
    yaml += "  - match: {type: t" + n + ".*}\n    topic: topic." + n + "\n    key: data.id\n";
  }
  const Loaded loaded = LoadYaml(yaml);
  ASSERT_TRUE(loaded.ok()) << Shown(loaded);
  EXPECT_TRUE(loaded.problems.empty());
  ASSERT_EQ(loaded.config.routes.size(), 10'000U);
  for (int i = 0; i < 10'000; i += 97) {
    const Route& route = loaded.config.routes[static_cast<size_t>(i)];
    EXPECT_EQ(route.topic.value, "topic." + std::to_string(i));
    EXPECT_EQ(route.match.type->value, "t" + std::to_string(i) + ".*");
    EXPECT_EQ(route.place.line, 4 + 3 * i);
  }
}

TEST(Load, AThousandProblemsAreEnough) {
  std::string yaml = kHeader;
  for (int i = 0; i < 3000; ++i) yaml += "unknown" + std::to_string(i) + ": 1\n";
  const Loaded loaded = LoadYaml(yaml);
  EXPECT_EQ(loaded.problems.size(), 1001U);
  EXPECT_THAT(loaded.problems.back().text(), HasSubstr("has 2000 more problems"));
}

}  // namespace
}  // namespace outrigger::config
