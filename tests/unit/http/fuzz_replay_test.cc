#include <gtest/gtest.h>

#include "support/corpus.h"
#include "support/fuzz_http.h"

namespace outrigger::http {
namespace {

// FuzzHttp aborts when a request means something else in other pieces.
TEST(FuzzHttp, EveryFileOfTheCorpusAnd2000MutationsMeanTheSameInAnyPieces) {
  const auto corpus =
      test::ReadCorpus(std::string(OUTRIGGER_SOURCE_DIR) + "/tests/fuzz/corpus/http");
  ASSERT_GE(corpus.size(), 20U);
  for (const auto& text : corpus) test::FuzzHttp(text);
  std::mt19937 random(20261124);
  const std::vector<std::string> pieces = {"\r\n",
                                           "\n",
                                           "\r",
                                           " ",
                                           "\t",
                                           ":",
                                           ";",
                                           "0\r\n\r\n",
                                           "5\r\n",
                                           "\r\n\r\n",
                                           "%",
                                           "%00",
                                           "#",
                                           "?",
                                           "Content-Length: 5\r\n",
                                           "Transfer-Encoding: chunked\r\n",
                                           "Host: a\r\n",
                                           "T: v\r\n",
                                           "ffff",
                                           ";a=\"b\"",
                                           std::string("\0", 1),
                                           "\x7f",
                                           std::string(600, 'x')};
  for (int i = 0; i < 2000; ++i) test::FuzzHttp(test::Mutate(corpus, pieces, random));
}

}  // namespace
}  // namespace outrigger::http
