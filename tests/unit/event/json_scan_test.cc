#include "event/json_scan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace outrigger::event {
namespace {

using testing::ElementsAre;

std::vector<std::string> Members(std::string_view text) {
  std::vector<std::string> members;
  ForEachMember(text, [&members](std::string_view name, std::string_view value) {
    members.push_back(std::string(name) + "=" + std::string(value));
    return true;
  });
  return members;
}

TEST(JsonScan, AStringEndsAtTheFirstQuoteThatIsNotEscaped) {
  EXPECT_THAT(Members(R"({"a": "x\"y", "b": "z\\", "c": "\\\"", "d": ""})"),
              ElementsAre(R"(a="x\"y")", R"(b="z\\")", R"(c="\\\"")", R"(d="")"));
  EXPECT_THAT(Members(R"({"na\"me": 1, "\\": 2})"), ElementsAre(R"(na\"me=1)", R"(\\=2)"));
}

TEST(JsonScan, BracketsInsideStringsDoNotCount) {
  EXPECT_THAT(Members(R"({"a": {"x": ["]}", "\"]"]}, "b": [1, [2, "}"]]})"),
              ElementsAre(R"(a={"x": ["]}", "\"]"]})", R"(b=[1, [2, "}"]])"));
}

TEST(JsonScan, AStringWithoutAnEndReachesToTheEndOfTheText) {
  EXPECT_EQ(FirstValue(R"("abc)"), R"("abc)");
  EXPECT_EQ(FirstValue(R"("abc\")"), R"("abc\")");
  EXPECT_EQ(FirstValue(R"({"a": "b)"), R"({"a": "b)");
}

}  // namespace
}  // namespace outrigger::event
