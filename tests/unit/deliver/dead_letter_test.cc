#include "deliver/dead_letter.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace outrigger::deliver {
namespace {

kafka::Consumed Failed() {
  kafka::Consumed record;
  record.topic = "user.events";
  record.partition = 3;
  record.offset = 42;
  record.timestamp_ms = 1795464000123;
  record.key = std::string("k\0\xFF", 3);
  record.value = "{\"a\": 1}";
  record.headers = {{"ce_id", "1"}, {"x", std::nullopt}, {"x", "y"}, {"outrigger-redrives", "2"}};
  return record;
}

Failure Rejected() {
  Failure letter;
  letter.reason = DeadLetterReason::kStatus;
  letter.status = 422;
  letter.body = "no such user";
  letter.attempts = 5;
  letter.first = std::chrono::system_clock::from_time_t(1795464000);
  letter.last = std::chrono::system_clock::from_time_t(1795464060);
  letter.subscription = "welcome";
  return letter;
}

std::string Value(const event::Record& record, std::string_view name) {
  for (const auto& header : record.headers)
    if (header.name == name) return header.value.value_or("(null)");
  return "(absent)";
}

TEST(DeadLetter, TheOriginalBytesKeyAndHeadersAreKept) {
  const kafka::Consumed failed = Failed();
  const auto letter = ToDeadLetter(failed, Rejected(), "dlq");
  EXPECT_EQ(letter.topic, "dlq");
  EXPECT_EQ(letter.partition, -1);
  EXPECT_EQ(letter.key, failed.key);
  EXPECT_EQ(letter.value, failed.value);
  EXPECT_TRUE(std::equal(failed.headers.begin(), failed.headers.end(), letter.headers.begin()));
}

TEST(DeadLetter, ANullValueStaysNull) {
  kafka::Consumed failed = Failed();
  failed.value.reset();
  failed.key.reset();
  const auto letter = ToDeadLetter(failed, Rejected(), "dlq");
  EXPECT_EQ(letter.value, std::nullopt);
  EXPECT_EQ(letter.key, std::nullopt);
}

TEST(DeadLetter, ItsHeadersTellTheStory) {
  const auto letter = ToDeadLetter(Failed(), Rejected(), "dlq");
  for (const auto& [name, value] : {std::pair{"reason", "status"},
                                    {"status", "422"},
                                    {"body", "no such user"},
                                    {"attempts", "5"},
                                    {"first-time", "2026-11-23T20:00:00.000Z"},
                                    {"last-time", "2026-11-23T20:01:00.000Z"},
                                    {"topic", "user.events"},
                                    {"partition", "3"},
                                    {"offset", "42"},
                                    {"timestamp", "1795464000123"},
                                    {"subscription", "welcome"},
                                    {"generation", "1"}})
    EXPECT_EQ(Value(letter, std::string("outrigger-error-") + name), value) << name;
}

TEST(DeadLetter, WhatThereWasNotHasNoHeader) {
  kafka::Consumed failed = Failed();
  failed.timestamp_ms = -1;
  Failure story = Rejected();
  story.status = 0;
  const auto letter = ToDeadLetter(failed, story, "dlq");
  EXPECT_EQ(Value(letter, "outrigger-error-status"), "(absent)");
  EXPECT_EQ(Value(letter, "outrigger-error-timestamp"), "(absent)");
}

TEST(DeadLetter, ASecondLetterReplacesTheFirstAndCounts) {
  const auto first = ToDeadLetter(Failed(), Rejected(), "dlq");
  kafka::Consumed again = Failed();
  again.headers = first.headers;
  Failure story = Rejected();
  story.reason = DeadLetterReason::kTimeout;
  story.status = 0;
  const auto second = ToDeadLetter(again, story, "dlq");
  EXPECT_EQ(second.headers.size(), first.headers.size() - 1);
  EXPECT_EQ(Value(second, "outrigger-error-reason"), "timeout");
  EXPECT_EQ(Value(second, "outrigger-error-status"), "(absent)") << "the first one's is gone";
  EXPECT_EQ(Value(second, "outrigger-error-generation"), "2");
  EXPECT_EQ(Value(second, "outrigger-redrives"), "2");
}

TEST(DeadLetter, AShorterStoryKeepsTheRecordAndWhatEndsALoop) {
  const kafka::Consumed failed = Failed();
  const auto names = [&](event::DeadLetterDetail detail) {
    const auto letter = ToDeadLetter(failed, Rejected(), "dlq", detail);
    EXPECT_EQ(letter.value, failed.value);
    EXPECT_EQ(letter.key, failed.key);
    EXPECT_TRUE(std::equal(failed.headers.begin(), failed.headers.end(), letter.headers.begin()));
    EXPECT_EQ(Value(letter, "outrigger-error-generation"), "1");
    return letter.headers.size() - failed.headers.size();
  };
  EXPECT_EQ(names(event::DeadLetterDetail::kWhole), 12U);
  EXPECT_EQ(names(event::DeadLetterDetail::kWithoutBody), 11U);
  EXPECT_EQ(names(event::DeadLetterDetail::kOrigin), 5U);
  EXPECT_EQ(names(event::DeadLetterDetail::kGeneration), 1U);
}

TEST(DeadLetter, ItsGenerationIsReadFromItsHeaders) {
  kafka::Consumed record = Failed();
  EXPECT_EQ(event::Generation(record.headers), 0U);
  record.headers.push_back({"outrigger-error-generation", "10"});
  EXPECT_EQ(event::Generation(record.headers), 10U);
}

TEST(DeadLetter, AGenerationThatIsNoNumberStartsAgain) {
  for (const char* generation : {"", "x", "-1", "1.5", "99999999999999999999999"}) {
    kafka::Consumed failed = Failed();
    failed.headers.push_back({"outrigger-error-generation", generation});
    EXPECT_EQ(Value(ToDeadLetter(failed, Rejected(), "dlq"), "outrigger-error-generation"), "1");
  }
}

TEST(DeadLetter, TheBodyIsCutToAKibibyteOfWholeCharacters) {
  std::string body(1023, 'a');
  body += "\xC3\xA9 and more";
  Failure story = Rejected();
  story.body = body;
  EXPECT_EQ(Value(ToDeadLetter(Failed(), story, "dlq"), "outrigger-error-body"),
            std::string(1023, 'a'));
}

TEST(DeadLetter, TheReasonComesFromTheLastVerdict) {
  using Action = Verdict::Action;
  const auto reason = [](Action action, Reason why) { return Label(ReasonOf({action, why, 200})); };
  EXPECT_EQ(reason(Action::kDeadLetter, Reason::kUndecodable), "undecodable");
  EXPECT_EQ(reason(Action::kDeadLetter, Reason::kNone), "dead_letter");
  EXPECT_EQ(reason(Action::kRetry, Reason::kTimeout), "timeout");
  EXPECT_EQ(reason(Action::kRetry, Reason::kRefused), "refused");
  EXPECT_EQ(reason(Action::kRetry, Reason::kStatus5xx), "status");
  EXPECT_EQ(reason(Action::kRejected, Reason::kStatus4xx), "status");
  EXPECT_EQ(reason(Action::kRetry, Reason::kUndecodable), "status")
      << "an answer that can't be read";
}

}  // namespace
}  // namespace outrigger::deliver
