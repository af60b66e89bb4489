#include "base/nearest.h"

#include <gtest/gtest.h>

namespace outrigger::base {
namespace {

TEST(Nearest, FindsTypingErrorsAndNothingFarAway) {
  const std::vector<std::string> known = {"maxBody", "maxHeader", "listen", "log"};
  EXPECT_EQ(Nearest("maxbody", known), "maxBody");
  EXPECT_EQ(Nearest("max_body", known), "maxBody");
  EXPECT_EQ(Nearest("maxBdoy", known), "maxBody");
  EXPECT_EQ(Nearest("lisen", known), "listen");
  EXPECT_EQ(Nearest("completely", known), "");
  EXPECT_EQ(Nearest(std::string(10'000, 'a'), known), "");
}

}  // namespace
}  // namespace outrigger::base
