#include "publish/ask.h"

#include <gtest/gtest.h>

namespace outrigger::publish {
namespace {

using Headers = std::vector<event::Header>;
using Extensions = std::vector<std::pair<std::string, std::string>>;

http::Head Head(std::vector<http::Field> fields,
                std::vector<std::pair<std::string, std::string>> query = {}) {
  http::Head head;
  head.fields = std::move(fields);
  head.query = std::move(query);
  return head;
}

Ask Read(std::vector<http::Field> fields) {
  auto ask = ReadAsk(Head(std::move(fields)), false, true);
  EXPECT_TRUE(ask.has_value()) << ask.error().message;
  return ask.value_or(Ask{});
}

std::string Problem(std::vector<http::Field> fields, bool raw = false) {
  auto ask = ReadAsk(Head(std::move(fields)), raw, true);
  return ask ? std::string() : ask.error().message;
}

std::string TraceState(std::vector<std::string_view> lines) {
  std::vector<http::Field> fields;
  for (const auto line : lines) fields.push_back({"tracestate", line});
  return Read(std::move(fields)).tracestate;
}

TEST(Ask, TheLinesOfATraceStateAreOneListInOrder) {
  EXPECT_EQ(TraceState({}), "");
  EXPECT_EQ(TraceState({"a=1"}), "a=1");
  EXPECT_EQ(TraceState({"a=1", "b=2"}), "a=1,b=2");
  EXPECT_EQ(TraceState({"b=2,a=1", "c=3"}), "b=2,a=1,c=3");
}

TEST(Ask, BlanksAndEmptyMembersOfATraceStateAreLegalAndGo) {
  EXPECT_EQ(TraceState({"a=1,\tb=2"}), "a=1,b=2");
  EXPECT_EQ(TraceState({"a=1 \t , \t b=2 ", ",", "", " ,,c=3,"}), "a=1,b=2,c=3");
  EXPECT_EQ(TraceState({"", ","}), "");
  EXPECT_EQ(TraceState({"a=x y"}), "a=x y");
}

TEST(Ask, ATraceStateHasAtMost32MembersAndTheFirstStay) {
  std::string first32, line;
  for (int n = 0; n < 40; ++n) {
    const std::string member = (n ? "," : "") + std::string("k") + std::to_string(n) + "=v";
    if (n < 32) first32 += member;
    line += member;
  }
  EXPECT_EQ(TraceState({line}), first32);
  EXPECT_EQ(TraceState({line, "z=1"}), first32);
}

TEST(Ask, ATraceThatIsBrokenIsLeftOutAndRefusesNothing) {
  EXPECT_EQ(TraceState({"a=1\t2"}), "");
  EXPECT_EQ(TraceState({"a=\xFF"}), "");
  EXPECT_EQ(Read({{"traceparent", "\xFF"}}).traceparent, "");
  EXPECT_EQ(Read({{"traceparent", "00-1"}, {"traceparent", "00-2"}}).traceparent, "");
  EXPECT_EQ(Read({{"traceparent", "00-1"}, {"traceparent", "00-1"}}).traceparent, "00-1");
}

Extensions ExtensionsOf(event::Event event) {
  Read({{"traceparent", "00-http"}, {"tracestate", "a=1"}, {"tracestate", "b=2"}}).Complete(event);
  return event.extensions;
}

TEST(Ask, AnEventTakesTheTraceOfItsRequestUnlessItHasItsOwn) {
  EXPECT_EQ(ExtensionsOf({}), (Extensions{{"tracestate", "a=1,b=2"}, {"traceparent", "00-http"}}));
  event::Event event;
  event.extensions = {{"traceparent", "00-own"}};
  EXPECT_EQ(ExtensionsOf(event), event.extensions) << "a tracestate belongs to its traceparent";
  event.extensions = {{"tracestate", "own=1"}};
  EXPECT_EQ(ExtensionsOf(event), (Extensions{{"tracestate", "own=1"}, {"traceparent", "00-http"}}));
  event.extensions.clear();
  event.headers = {{"traceparent", "00-own"}};
  EXPECT_EQ(ExtensionsOf(event), Extensions{});
}

TEST(Ask, ATraceStateAloneGoesAlong) {
  event::Event event;
  Read({{"tracestate", "a=1"}}).Complete(event);
  EXPECT_EQ(event.extensions, (Extensions{{"tracestate", "a=1"}}));
}

TEST(Ask, KafkaHeadersHoldAnyByteInNameAndValue) {
  EXPECT_EQ(Read({{"host", "a"},
                  {"kafka-tenant", "blue"},
                  {"kafka-%54enant", "caf%C3%A9 100% \"q\""},
                  {"kafka-bytes", "%00%FF"},
                  {"kafka-empty", ""}})
                .headers,
            (Headers{{"tenant", "blue"},
                     {"Tenant", "caf\xC3\xA9 100% \"q\""},
                     {"bytes", std::string("\0\xFF", 2)},
                     {"empty", ""}}));
}

TEST(Ask, AnEventsOwnHeaderWinsOverThatOfItsRequest) {
  event::Event event;
  event.headers = {{"tenant", "own"}, {"none", std::nullopt}};
  Read({{"kafka-tenant", "http"}, {"kafka-none", "http"}, {"kafka-x", "1"}, {"kafka-x", "2"}})
      .Complete(event);
  EXPECT_EQ(event.headers,
            (Headers{{"tenant", "own"}, {"none", std::nullopt}, {"x", "1"}, {"x", "2"}}));
}

TEST(Ask, AKafkaHeaderIsNeverOutriggersOwn) {
  for (const char* name :
       {"kafka-ce_id", "kafka-%63e_id", "kafka-outrigger-error-reason", "kafka-"})
    for (const bool raw : {false, true})
      EXPECT_NE(Problem({{name, "a"}}, raw).find("kafka-"), std::string::npos) << name;
  EXPECT_NE(Problem({{"kafka-content-type", "a/b"}}), "") << "the data's type is Content-Type";
  EXPECT_EQ(Problem({{"kafka-content-type", "a/b"}}, true), "");
}

TEST(Ask, AnIdempotencyKeyAppearsOnce) {
  EXPECT_EQ(Read({{"idempotency-key", "k"}}).id, "k");
  EXPECT_NE(Problem({{"idempotency-key", "k"}, {"idempotency-key", "k"}}).find("twice"),
            std::string::npos);
  event::Event event;
  Read({{"idempotency-key", "k"}}).Complete(event);
  EXPECT_EQ(event.id, "k");
  event.id = "own";
  Read({{"idempotency-key", "k"}}).Complete(event);
  EXPECT_EQ(event.id, "own");
}

TEST(Ask, PreferIsAListOverAllItsLines) {
  EXPECT_EQ(Read({}).ack, std::nullopt);
  EXPECT_EQ(Read({{"prefer", "wait=1"}, {"prefer", "return=minimal, Respond-Async; x=1"}}).ack,
            config::Ack::kDisk);
  EXPECT_EQ(Read({{"prefer", "respond-asynchronously"}}).ack, std::nullopt);
  const auto ask = ReadAsk(Head({{"prefer", "respond-async"}}, {{"ack", "memory"}}), false, true);
  EXPECT_EQ(ask->ack, config::Ack::kMemory);
  EXPECT_FALSE(ask->async);
  EXPECT_FALSE(ReadAsk(Head({}, {{"ack", "later"}}), false, true).has_value());
}

TEST(Ask, APreferenceThatCantBeMetIsIgnored) {
  const auto prefers = Head({{"prefer", "respond-async"}});
  EXPECT_TRUE(ReadAsk(prefers, false, true)->async);
  EXPECT_EQ(ReadAsk(prefers, false, false)->ack, std::nullopt);
  EXPECT_EQ(ReadAsk(Head({}, {{"ack", "disk"}}), false, false)->ack, config::Ack::kDisk);
}

TEST(Ask, KnowsWhatItAddsToAnEvent) {
  EXPECT_EQ(Ask{}.bytes(), 0U);
  EXPECT_GE(Read({{"kafka-a", "12345"}, {"tracestate", "a=1"}}).bytes(), 9U);
}

TEST(Ask, ARawRecordTakesHeadersAndTraceByName) {
  const auto ask = ReadAsk(Head({{"traceparent", "00-http"},
                                 {"tracestate", "a=1"},
                                 {"tracestate", "b=2"},
                                 {"kafka-x", "1"},
                                 {"kafka-x", "2"}}),
                           true, false);
  event::Record record;
  ask->Complete(record);
  EXPECT_EQ(
      record.headers,
      (Headers{{"x", "1"}, {"x", "2"}, {"tracestate", "a=1,b=2"}, {"traceparent", "00-http"}}));
}

}  // namespace
}  // namespace outrigger::publish
