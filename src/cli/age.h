// How long ago something was, for people: "12s", "3m", "5h", "8d".
//
// Pure.
#pragma once

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

namespace outrigger::cli {

inline std::string ShowAge(std::chrono::seconds age) {
  const int64_t seconds = std::max<int64_t>(age.count(), 0);
  for (const auto& [size, name] :
       {std::pair<int64_t, const char*>{86400, "d"}, {3600, "h"}, {60, "m"}})
    if (seconds >= size) return std::to_string(seconds / size) + name;
  return std::to_string(seconds) + "s";
}

}  // namespace outrigger::cli
