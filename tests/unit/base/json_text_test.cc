#include "base/json_text.h"

#include <gtest/gtest.h>

namespace outrigger::base {
namespace {

TEST(Excerpt, BytesThatAreNoTextAreReplaced) {
  EXPECT_EQ(Excerpt("a\xFF\xC3", 100), "a\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(Excerpt("\xED\xA0\x80", 3), "\xEF\xBF\xBD") << "a surrogate";
  EXPECT_EQ(Excerpt("\xFF\xFF", 5), "\xEF\xBF\xBD");
  EXPECT_EQ(Excerpt("\xF0\x9F\x98\x80\xE2\x82\xAC", 100), "\xF0\x9F\x98\x80\xE2\x82\xAC");
  EXPECT_EQ(Excerpt("\xF0\x9F\x98\x80", 3), "");
}

TEST(Excerpt, EndsAtACharactersBoundary) {
  EXPECT_EQ(Excerpt(std::string(1023, 'a') + "\xC3\xA9", 1024), std::string(1023, 'a'));
  EXPECT_EQ(Excerpt("abc", 3), "abc");
  EXPECT_EQ(Excerpt("abc", 0), "");
}

}  // namespace
}  // namespace outrigger::base
