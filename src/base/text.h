// Text for people. Pure.
#pragma once

#include <string>
#include <string_view>

namespace outrigger::base {

// "1 error", "2 errors", "0 errors". For nouns whose plural is made by an s.
inline std::string Counted(size_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

}  // namespace outrigger::base
