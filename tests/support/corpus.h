// A fuzzer's corpus, replayed by the unit tests: every file, and deterministic mutations of them.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace outrigger::test {

inline std::vector<std::string> ReadCorpus(const std::string& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::vector<std::string> corpus;
  for (const auto& file : files) {
    std::ifstream in(file, std::ios::binary);
    corpus.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  return corpus;
}

// Bytes changed, removed, added; pieces doubled; two files joined. `pieces` are what the format is
// made of.
inline std::string Mutate(const std::vector<std::string>& corpus,
                          const std::vector<std::string>& pieces, std::mt19937& random) {
  std::string text = corpus[random() % corpus.size()];
  for (size_t change = 1 + random() % 4; change > 0; --change) {
    const size_t at = text.empty() ? 0 : random() % text.size();
    switch (random() % 6) {
      case 0:
        if (!text.empty()) text[at] = static_cast<char>(random() % 256);
        break;
      case 1:
        text.erase(at, 1 + random() % 16);
        break;
      case 2:
        text.insert(at, pieces[random() % pieces.size()]);
        break;
      case 3:
        text.insert(at, text.substr(at, random() % 32));
        break;
      case 4:
        text.resize(at);
        break;
      default: {
        const std::string& other = corpus[random() % corpus.size()];
        text = text.substr(0, at) + other.substr(other.empty() ? 0 : random() % other.size());
        break;
      }
    }
  }
  return text;
}

}  // namespace outrigger::test
