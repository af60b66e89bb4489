#include "http/problem.h"

#include <gtest/gtest.h>

namespace outrigger::http {
namespace {

TEST(Problem, WithAStatusAloneHasThreeMembers) {
  Problem problem;
  problem.status = 404;
  EXPECT_EQ(problem.Json(), R"({"type":"about:blank","title":"Not Found","status":404})");
}

TEST(Problem, ShowsWhatIsKnownInAFixedOrder) {
  Problem problem;
  problem.status = 503;
  problem.detail = "Kafka is away";
  problem.id = "1";
  problem.outcome = "unknown";
  problem.limit = "http.ackTimeout";
  EXPECT_EQ(problem.Json(),
            R"({"type":"about:blank","title":"Service Unavailable","status":503,)"
            R"("detail":"Kafka is away","id":"1","outcome":"unknown","limit":"http.ackTimeout"})");
}

TEST(Problem, ListsErrorsWithPointerAndMessage) {
  Problem problem;
  problem.status = 422;
  problem.errors = {{"/a", "is missing"}, {"", "is no object"}};
  EXPECT_EQ(
      problem.Json(),
      R"({"type":"about:blank","title":"Unprocessable Content","status":422,"errors":)"
      R"([{"pointer":"/a","message":"is missing"},{"pointer":"","message":"is no object"}]})");
}

TEST(Problem, EscapesWhatJsonAsksFor) {
  Problem problem;
  problem.detail = "a \"b\"\\\n\x01";
  const std::string json = problem.Json();
  EXPECT_NE(json.find(R"("detail":"a \"b\"\\\u000a\u0001")"), std::string::npos) << json;
}

TEST(Problem, HasAtMost64KiBWhateverIsPutIn) {
  // A control byte takes six.
  const std::string large(1 << 20, '\x01');
  Problem problem;
  problem.status = 422;
  problem.detail = problem.id = large;
  for (int i = 0; i < 1000; ++i) problem.errors.emplace_back(large, large);
  EXPECT_LE(problem.Json().size(), 64U << 10);
  problem.errors.resize(1);
  problem.errors[0] = {"/" + std::string(300, 'a'), "is missing"};
  EXPECT_NE(problem.Json().find("/" + std::string(199, 'a') + "…\""), std::string::npos);
}

TEST(Problem, AsAResponseIsProblemJsonWithItsStatus) {
  Problem problem;
  problem.status = 503;
  problem.retry_after = 2;
  const Response response = problem.ToResponse();
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.content_type, "application/problem+json");
  EXPECT_EQ(response.body, problem.Json());
  ASSERT_EQ(response.headers.size(), 1U);
  EXPECT_EQ(response.headers[0], (std::pair<std::string, std::string>{"Retry-After", "2"}));
  EXPECT_FALSE(response.close);
}

TEST(Problem, WithoutAWaitHasNoRetryAfter) { EXPECT_TRUE(Problem().ToResponse().headers.empty()); }

TEST(ReasonPhrase, KnowsEveryStatusOfTheContract) {
  for (const int status : {200, 202, 400, 401, 404, 405, 408, 409, 411, 413, 415, 417, 422, 429,
                           431, 500, 501, 503, 505})
    EXPECT_NE(ReasonPhrase(status), "Unknown") << status;
}

}  // namespace
}  // namespace outrigger::http
