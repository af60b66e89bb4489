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

}  // namespace
}  // namespace outrigger::publish
