// ASCII letters, whatever the locale: names and values of protocols are not text of a language.
#pragma once

#include <string>
#include <string_view>

namespace outrigger::base {

constexpr char LowerAscii(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

inline std::string LowerAscii(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = LowerAscii(c);
  return lower;
}

}  // namespace outrigger::base
