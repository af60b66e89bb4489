#include "publish/outcome.h"

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

Target Failed(const std::string& topic, int status) {
  Target target;
  target.topic = topic;
  http::Problem problem;
  problem.status = status;
  problem.outcome = "none";
  problem.retry_after = status == 503 ? 1 : 0;
  target.Fail(std::move(problem));
  return target;
}

TEST(Outcome, AnAckedEventNamesTopicPartitionAndOffset) {
  Outcome outcome{"e1", {Acked("user.events", 2, 41)}, {}};
  const http::Response response = outcome.ToResponse();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body,
            R"({"id":"e1","status":"acked","topic":"user.events","partition":2,"offset":41})");
}

TEST(Outcome, QueuedAndDiscardedAre202) {
  Outcome queued{"e1", {Target{"t", Target::Status::kQueued, -1, -1, {}}}, {}};
  EXPECT_EQ(queued.code(), 202);
  EXPECT_EQ(queued.ToResponse().body, R"({"id":"e1","status":"queued","topic":"t"})");
  Outcome discarded{"e1", {Target{"t", Target::Status::kDiscarded, -1, -1, {}}}, {}};
  EXPECT_EQ(discarded.ToResponse().body, R"({"id":"e1","status":"discarded"})");
}

TEST(Outcome, AFailedEventIsAProblemWithRetryAfter) {
  Outcome outcome{"e1", {Failed("t", 503)}, {}};
  const http::Response response = outcome.ToResponse();
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.content_type, "application/problem+json");
  EXPECT_NE(response.body.find(R"("outcome":"none")"), std::string::npos);
  ASSERT_EQ(response.headers.size(), 1U);
  EXPECT_EQ(response.headers[0].first, "Retry-After");
}

TEST(Outcome, AFanOutShowsEveryTargetAndAnswersTheWorstCode) {
  Outcome outcome{"e1", {Acked("a", 0, 1), Failed("b", 413)}, {}};
  const http::Response response = outcome.ToResponse();
  EXPECT_EQ(response.status, 413);
  EXPECT_EQ(response.body.find(
                R"({"id":"e1","status":"failed","targets":[{"status":"acked","topic":"a",)"),
            0U)
      << response.body;
  outcome.targets[1] = Acked("b", 1, 5);
  EXPECT_EQ(outcome.code(), 200);
}

TEST(Outcome, OfALongIdTheBeginningIsShownAndAProblemDoesNotRepeatIt) {
  Outcome outcome{std::string(1 << 20, 'i'), {Acked("t", 0, 1)}, {}};
  EXPECT_LT(outcome.ToResponse().body.size(), 400U);
  EXPECT_NE(outcome.ToResponse().body.find("i…\""), std::string::npos);
  http::Problem problem;
  problem.status = 400;
  problem.id = outcome.id = "the-id";
  outcome.Refuse(problem);
  std::string entry;
  outcome.AppendJson(entry);
  EXPECT_EQ(entry.find("the-id"), entry.rfind("the-id")) << entry;
  EXPECT_NE(outcome.ToResponse().body.find(R"("id":"the-id")"), std::string::npos);
}

TEST(Outcome, InBriefIsItsStatusAlone) {
  const auto brief = [](const Outcome& outcome) {
    std::string text;
    outcome.AppendBrief(text);
    EXPECT_LT(text.size(), Outcome::kBrief) << text;
    return text;
  };
  EXPECT_EQ(brief({"e1", {Acked("t", 2, 41)}, {}}), R"({"status":"acked"})");
  for (const int status : {400, 404, 413, 422, 431, 503, 505})
    EXPECT_NE(brief({"e1", {Failed(std::string(249, 't'), status)}, {}})
                  .find(std::to_string(status) + "}}"),
              std::string::npos);
}

}  // namespace
}  // namespace outrigger::publish
