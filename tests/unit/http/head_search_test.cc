#include "http/head_search.h"

#include <gtest/gtest.h>

#include <string>

namespace outrigger::http {
namespace {

const std::string kHead = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

TEST(HeadSearch, FindsAHeadThatComesByteByByteAndThenTheNextOne) {
  HeadSearch search;
  std::optional<Refusal> refusal;
  for (int request = 0; request < 2; ++request) {
    for (size_t size = 1; size < kHead.size(); ++size)
      ASSERT_FALSE(search.Find(kHead.substr(0, size), 100, refusal)) << size;
    EXPECT_EQ(search.Find(kHead + "GET", 100, refusal), kHead.size());
  }
  EXPECT_FALSE(refusal);
}

TEST(HeadSearch, DropsEmptyLinesBeforeAHeadAlsoInPieces) {
  HeadSearch search;
  std::optional<Refusal> refusal;
  EXPECT_EQ(search.EmptyLines("\r\n\r\n\r"), 4U);
  EXPECT_FALSE(search.Find("\r", 100, refusal));
  EXPECT_EQ(search.EmptyLines("\r\n" + kHead), 2U);
  EXPECT_EQ(search.Find(kHead, 100, refusal), kHead.size());
  EXPECT_EQ(search.EmptyLines(""), 0U);
  EXPECT_EQ(search.EmptyLines(kHead), 0U);
}

TEST(HeadSearch, RefusesAHeadThatIsTooLargeBeforeAndAtItsEnd) {
  for (const size_t arrived : {kHead.size() - 1, kHead.size()}) {
    HeadSearch search;
    std::optional<Refusal> refusal;
    EXPECT_FALSE(search.Find(kHead.substr(0, arrived), arrived - 1, refusal));
    ASSERT_TRUE(refusal);
    EXPECT_EQ(refusal->status, 431);
    EXPECT_EQ(refusal->limit, "maxHeader");
  }
  HeadSearch search;
  std::optional<Refusal> refusal;
  EXPECT_TRUE(search.Find(kHead, kHead.size(), refusal));
}

TEST(HeadSearch, RefusesWhatIsNoHead) {
  HeadSearch search;
  std::optional<Refusal> refusal;
  EXPECT_FALSE(search.Find("GET / HTTP/1.1\nHost: a\n\n", 100, refusal));
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->status, 400);
}

}  // namespace
}  // namespace outrigger::http
