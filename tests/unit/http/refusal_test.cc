#include "http/refusal.h"

#include <gtest/gtest.h>

namespace outrigger::http {
namespace {

TEST(Refusal, NamesTheConfigFieldOfItsLimit) {
  const Problem problem = ToProblem({413, "too large", "maxBody"}, Limits{}, false);
  EXPECT_EQ(problem.status, 413);
  EXPECT_EQ(problem.detail, "too large");
  EXPECT_EQ(problem.limit, "http.maxBody");
  EXPECT_EQ(problem.outcome, "");
  EXPECT_EQ(problem.retry_after, 0);
  EXPECT_EQ(ToProblem({400, "malformed", ""}, Limits{}, false).limit, "");
}

TEST(Refusal, ForWantOfRoomMayBeTriedAgainAndOfAStreamSomeMayHaveBeenPublished) {
  for (const auto& [streamed, outcome] : {std::pair{false, "none"}, {true, "unknown"}}) {
    const Problem problem = ToProblem({503, "no room", "maxBodies"}, Limits{}, streamed);
    EXPECT_EQ(problem.outcome, outcome);
    EXPECT_EQ(problem.retry_after, 1);
  }
}

TEST(Refusal, OfAnEncodingSaysWhatWouldBeTaken) {
  Problem problem;
  problem.status = 415;
  const Response response = ToResponse(problem);
  EXPECT_EQ(response.headers.back(),
            std::pair(std::string("Accept-Encoding"), std::string("identity")));
  problem.status = 400;
  EXPECT_TRUE(ToResponse(problem).headers.empty());
}

}  // namespace
}  // namespace outrigger::http
