#include "publish/stream_answer.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "support/fake_request.h"

namespace outrigger::publish {
namespace {

http::Problem Bad(int status, std::string detail = "bad") {
  http::Problem problem;
  problem.status = status;
  problem.detail = std::move(detail);
  return problem;
}

size_t Listed(const std::string& body) {
  size_t count = 0;
  for (size_t at = 0; (at = body.find("{\"line\":", at)) != std::string::npos; ++at) ++count;
  return count;
}

TEST(StreamAnswer, OfNoLinesIsTwoHundred) {
  const http::Response response = StreamAnswer().ToResponse(0);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, R"({"accepted":0,"failed":0,"failures":[],"line":0})");
  EXPECT_TRUE(response.headers.empty());
}

TEST(StreamAnswer, ListsFailuresInTheOrderOfTheirLinesWhateverTheyWereDecidedIn) {
  test::FakeRequest request;
  StreamAnswer answer;
  answer.Fail(12, Bad(400), &request);
  answer.Accept(200);
  answer.Fail(3, Bad(404, "none"), &request);
  const http::Response response = answer.ToResponse(14);
  EXPECT_EQ(response.body, R"({"accepted":1,"failed":2,"failures":[{"line":3,"problem":)" +
                               Bad(404, "none").Json() + R"(},{"line":12,"problem":)" +
                               Bad(400).Json() + R"(}],"line":14})");
}

TEST(StreamAnswer, HasTheHighestCodeOfItsLines) {
  test::FakeRequest request;
  StreamAnswer answer;
  answer.Accept(202);
  answer.Accept(200);
  EXPECT_EQ(answer.ToResponse(2).status, 202);
  answer.Fail(3, Bad(422), &request);
  answer.Fail(4, Bad(400), &request);
  answer.Accept(200);
  EXPECT_EQ(answer.ToResponse(5).status, 422);
  EXPECT_TRUE(answer.ToResponse(5).headers.empty());
}

TEST(StreamAnswer, SaysWhenToTryAgainAfterAFailureThatMayPass) {
  test::FakeRequest request;
  StreamAnswer answer;
  answer.Fail(1, Bad(503), &request);
  const http::Response response = answer.ToResponse(1);
  EXPECT_EQ(response.status, 503);
  ASSERT_EQ(response.headers.size(), 1U);
  EXPECT_EQ(response.headers[0], (std::pair<std::string, std::string>("Retry-After", "1")));
}

TEST(StreamAnswer, ListsTheFirstThousandAndCountsAll) {
  test::FakeRequest request;
  StreamAnswer answer;
  for (uint64_t line = 1; line <= 1500; ++line) answer.Fail(line, Bad(400, ""), &request);
  const std::string body = answer.ToResponse(1500).body;
  EXPECT_EQ(Listed(body), 1000U);
  EXPECT_NE(body.find(R"("failed":1500,"failures":[{"line":1,)"), std::string::npos);
  EXPECT_NE(body.find(R"({"line":1000,)"), std::string::npos);
}

TEST(StreamAnswer, CountsEachFailureInTheBudgetBeforeItIsKeptUpTo256KiB) {
  test::FakeRequest request;
  StreamAnswer answer;
  const http::Problem problem = Bad(400, std::string(500, 'x'));
  const uint64_t one = problem.Json().size() + 80;
  for (uint64_t line = 1; line <= 1000; ++line) {
    answer.Fail(line, problem, &request);
    EXPECT_EQ(request.reserved, std::min<uint64_t>(line, (256 << 10) / one) * one);
  }
  const std::string body = answer.ToResponse(1000).body;
  EXPECT_EQ(Listed(body), (256 << 10) / one);
  EXPECT_LE(body.size(), request.reserved + 100);
}

TEST(StreamAnswer, AFailureWithoutRoomIsCountedAndASmallerOneMayStillBeListed) {
  test::FakeRequest request;
  request.room = 300;
  StreamAnswer answer;
  answer.Fail(1, Bad(422, std::string(500, 'x')), &request);
  EXPECT_EQ(request.reserved, 0U);
  answer.Fail(2, Bad(400, "y"), &request);
  EXPECT_GT(request.reserved, 0U);
  const http::Response response = answer.ToResponse(2);
  EXPECT_EQ(response.status, 422);
  EXPECT_EQ(response.body.find(R"({"accepted":0,"failed":2,"failures":[{"line":2,)"), 0U);
}

TEST(StreamAnswer, WithoutARequestFailuresAreCountedOnly) {
  StreamAnswer answer;
  answer.Fail(1, Bad(400), nullptr);
  EXPECT_EQ(answer.ToResponse(1).body, R"({"accepted":0,"failed":1,"failures":[],"line":1})");
}

}  // namespace
}  // namespace outrigger::publish
