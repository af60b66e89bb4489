// One config file as a hostile or careless hand would write it: it is good, or an error says what
// is wrong.
//
// Used by the libFuzzer entry tests/fuzz/config.cc and by the replay of its corpus in the unit
// tests.
#pragma once

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "config/load.h"

namespace outrigger::test {

inline void FuzzConfig(std::string_view yaml) {
  const auto none = [](const char*) -> std::optional<std::string> { return std::nullopt; };
  const config::Loaded loaded = config::LoadText(yaml, "fuzz.yaml", none);
  const auto require = [&](bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "%s\n%.*s\n", what, static_cast<int>(yaml.size()), yaml.data());
    std::abort();
  };
  const auto lines =
      1 + std::count(yaml.begin(), yaml.end(), '\n') + std::count(yaml.begin(), yaml.end(), '\r');
  for (const auto& problem : loaded.problems) {
    require(!problem.message.empty(), "a problem says nothing");
    require(problem.place.file == "fuzz.yaml", "a problem names another file");
    require(problem.place.line <= lines && problem.place.line >= 0 && problem.place.column >= 0,
            "a problem is outside of the file");
    for (const char c : problem.text())
      require(static_cast<unsigned char>(c) >= 0x20, "a problem carries a control byte");
  }
  require(loaded.config.generation.size() == 16, "a file has no generation");
  const config::Loaded again = config::LoadText(yaml, "fuzz.yaml", none);
  require(again.problems.size() == loaded.problems.size(), "two readings differ");
  require(again.config.generation == loaded.config.generation, "two readings differ");
}

}  // namespace outrigger::test
