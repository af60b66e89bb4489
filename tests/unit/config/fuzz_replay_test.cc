#include <gtest/gtest.h>

#include "support/corpus.h"
#include "support/fuzz_config.h"

namespace outrigger::config {
namespace {

// FuzzConfig aborts when a problem has no text or a place outside of the file.
TEST(FuzzConfig, EveryFileOfTheCorpusAnd2000MutationsAreGoodOrSayWhatIsWrong) {
  const auto corpus =
      test::ReadCorpus(std::string(OUTRIGGER_SOURCE_DIR) + "/tests/fuzz/corpus/config");
  ASSERT_GE(corpus.size(), 20U);
  for (const auto& text : corpus) test::FuzzConfig(text);
  std::mt19937 random(20261124);
  const std::vector<std::string> pieces = {"\n",
                                           "\n  ",
                                           "- ",
                                           ": ",
                                           "{",
                                           "}",
                                           "[",
                                           "]",
                                           "\"",
                                           "'",
                                           "&a ",
                                           "*a",
                                           "<<: ",
                                           "---\n",
                                           "...\n",
                                           "!!str ",
                                           "|\n",
                                           ">-\n",
                                           "? ",
                                           "#",
                                           "\t",
                                           "~",
                                           "$now",
                                           "%YAML 1.2\n",
                                           "\xEF\xBB\xBF",
                                           "\xff",
                                           std::string("\0", 1),
                                           std::string(70, '['),
                                           "routes:\n",
                                           "  - topic: a\n",
                                           "kafka:\n"};
  for (int i = 0; i < 2000; ++i) test::FuzzConfig(test::Mutate(corpus, pieces, random));
}

}  // namespace
}  // namespace outrigger::config
