#include "publish/answer.h"

#include <gtest/gtest.h>

namespace outrigger::publish {
namespace {

Target Acked(const std::string& topic, int32_t partition, int64_t offset) {
  Target target;
  target.topic = topic;
  target.status = Target::Status::kAcked;
  target.partition = partition;
  target.offset = offset;
  return target;
}

Target Failed(const std::string& topic, RejectionReason reason) {
  Target target;
  target.topic = topic;
  target.Fail({.reason = reason, .outcome = RecordOutcome::kNone});
  return target;
}

// Every reason, and the status that the table of answers has for it.
constexpr std::pair<RejectionReason, int> kStatuses[] = {
    {RejectionReason::kMalformed, 400},    {RejectionReason::kNoRoute, 404},
    {RejectionReason::kConflict, 409},     {RejectionReason::kTooLarge, 413},
    {RejectionReason::kInvalid, 422},      {RejectionReason::kNotSupported, 501},
    {RejectionReason::kUnknownTopic, 503}, {RejectionReason::kUnauthorized, 503},
    {RejectionReason::kTimeout, 503},      {RejectionReason::kUnavailable, 503}};

TEST(Outcome, OfARejectionTheReasonGivesTheStatusAndARetryAfterWhereARetryMaySucceed) {
  for (const auto& [reason, status] : kStatuses) {
    const http::Problem problem = ToProblem(Rejection{.reason = reason}, "e1");
    EXPECT_EQ(problem.status, status);
    EXPECT_EQ(problem.retry_after, status == 503 ? 1 : 0) << status;
    EXPECT_EQ(problem.id, "e1");
    EXPECT_EQ(problem.outcome, "");
  }
}

TEST(Outcome, AProblemHasAllThatTheRejectionSays) {
  const Rejection rejection{.reason = RejectionReason::kTimeout,
                            .outcome = RecordOutcome::kUnknown,
                            .detail = "why",
                            .errors = {{"/a", "is wrong"}},
                            .limit = "http.ackTimeout"};
  EXPECT_EQ(ToProblem(rejection, "e1").Json(),
            R"({"type":"about:blank","title":"Service Unavailable","status":503,"detail":"why",)"
            R"("id":"e1","outcome":"unknown","limit":"http.ackTimeout",)"
            R"("errors":[{"pointer":"/a","message":"is wrong"}]})");
}

TEST(Outcome, AnAckedEventNamesTopicPartitionAndOffset) {
  Outcome outcome{"e1", {Acked("user.events", 2, 41)}, {}};
  const http::Response response = ToResponse(outcome);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body,
            R"({"id":"e1","status":"acked","topic":"user.events","partition":2,"offset":41})");
}

TEST(Outcome, QueuedAndDiscardedAre202) {
  Outcome queued{"e1", {Target{"t", Target::Status::kQueued, -1, -1, {}}}, {}};
  EXPECT_EQ(StatusOf(queued), 202);
  EXPECT_EQ(ToResponse(queued).body, R"({"id":"e1","status":"queued","topic":"t"})");
  Outcome discarded{"e1", {Target{"t", Target::Status::kDiscarded, -1, -1, {}}}, {}};
  EXPECT_EQ(ToResponse(discarded).body, R"({"id":"e1","status":"discarded"})");
}

TEST(Outcome, AFailedEventIsAProblemWithRetryAfter) {
  Outcome outcome{"e1", {Failed("t", RejectionReason::kUnavailable)}, {}};
  const http::Response response = ToResponse(outcome);
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.content_type, "application/problem+json");
  EXPECT_NE(response.body.find(R"("outcome":"none")"), std::string::npos);
  ASSERT_EQ(response.headers.size(), 1U);
  EXPECT_EQ(response.headers[0].first, "Retry-After");
}

TEST(Outcome, AFanOutShowsEveryTargetAndAnswersTheWorstCode) {
  Outcome outcome{"e1", {Acked("a", 0, 1), Failed("b", RejectionReason::kTooLarge)}, {}};
  const http::Response response = ToResponse(outcome);
  EXPECT_EQ(response.status, 413);
  EXPECT_EQ(response.body.find(
                R"({"id":"e1","status":"failed","targets":[{"status":"acked","topic":"a",)"),
            0U)
      << response.body;
  outcome.targets[1] = Acked("b", 1, 5);
  EXPECT_EQ(StatusOf(outcome), 200);
}

TEST(Outcome, OfAFanOutThatFailedTheProblemIsThatOfTheWorstTarget) {
  const Outcome outcome{"e1",
                        {Failed("a", RejectionReason::kTooLarge), Acked("b", 0, 1),
                         Failed("c", RejectionReason::kUnavailable)},
                        {}};
  EXPECT_EQ(ToProblem(outcome).status, 503);
  const http::Response response = ToResponse(outcome);
  ASSERT_EQ(response.headers.size(), 1U);
  EXPECT_EQ(response.headers[0].first, "Retry-After");
}

TEST(Outcome, OfALongIdTheBeginningIsShownAndAProblemDoesNotRepeatIt) {
  Outcome outcome{std::string(1 << 20, 'i'), {Acked("t", 0, 1)}, {}};
  EXPECT_LT(ToResponse(outcome).body.size(), 400U);
  EXPECT_NE(ToResponse(outcome).body.find("i…\""), std::string::npos);
  outcome.id = "the-id";
  outcome.Reject({.reason = RejectionReason::kMalformed});
  std::string entry;
  AppendJson(entry, outcome);
  EXPECT_EQ(entry.find("the-id"), entry.rfind("the-id")) << entry;
  EXPECT_NE(ToResponse(outcome).body.find(R"("id":"the-id")"), std::string::npos);
}

TEST(Outcome, InBriefIsItsStatusAlone) {
  const auto brief = [](const Outcome& outcome) {
    std::string text;
    AppendBrief(text, outcome);
    EXPECT_LT(text.size(), kMaxBrief) << text;
    return text;
  };
  EXPECT_EQ(brief({"e1", {Acked("t", 2, 41)}, {}}), R"({"status":"acked"})");
  for (const auto& [reason, status] : kStatuses)
    EXPECT_NE(brief({"e1", {Failed(std::string(249, 't'), reason)}, {}})
                  .find(std::to_string(status) + "}}"),
              std::string::npos);
}

}  // namespace
}  // namespace outrigger::publish
