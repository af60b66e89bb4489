// Replays the corpus of tests/fuzz/event_json.cc and seeded mutations of it. A broken invariant
// aborts.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <set>

#include "support/fuzz_event_json.h"

namespace outrigger::event {
namespace {

std::vector<std::string> Corpus() {
  std::set<std::filesystem::path> files;  // in a fixed order, so that mutations repeat
  for (const auto& entry :
       std::filesystem::directory_iterator(OUTRIGGER_SOURCE_DIR "/tests/fuzz/corpus/event_json"))
    files.insert(entry.path());
  std::vector<std::string> corpus;
  for (const auto& file : files) {
    std::ifstream in(file, std::ios::binary);
    corpus.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  return corpus;
}

TEST(FuzzEventJson, HoldsForEachFileOfTheCorpus) {
  const auto corpus = Corpus();
  EXPECT_GE(corpus.size(), 20U);
  for (const auto& bytes : corpus) FuzzEventJson(bytes);
}

TEST(FuzzEventJson, HoldsForTwoThousandMutations) {
  const auto corpus = Corpus();
  ASSERT_FALSE(corpus.empty());
  std::mt19937 random(20261123);
  const auto below = [&random](size_t bound) { return bound == 0 ? 0 : random() % bound; };
  constexpr std::string_view kTelling = "{}[]\",:\\u0123456789eE+-.tfn \x80\xFF\xEF";
  for (int i = 0; i < 2000; ++i) {
    std::string bytes = corpus[below(corpus.size())];
    const size_t changes = 1 + below(3);
    for (size_t change = 0; change < changes; ++change) {
      const size_t at = below(bytes.size());
      switch (below(5)) {
        case 0:  // a bit flips
          if (!bytes.empty()) bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
          break;
        case 1:  // a byte becomes one that means something in JSON
          if (!bytes.empty()) bytes[at] = kTelling[below(kTelling.size())];
          break;
        case 2:  // the end is cut off
          bytes.resize(at);
          break;
        case 3: {  // a piece of another file goes in
          const std::string& other = corpus[below(corpus.size())];
          bytes.insert(at, other.substr(below(other.size()), below(40)));
          break;
        }
        default:  // a piece goes out
          bytes.erase(at, 1 + below(8));
          break;
      }
    }
    SCOPED_TRACE(i);
    FuzzEventJson(bytes);
  }
}

}  // namespace
}  // namespace outrigger::event
