// Which bytes a head, a trailer and a chunk's line are made of. Source: RFC 9110 section 5.6.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

#include "base/ascii.h"

namespace outrigger::http {

// A table, since every byte of every name is looked up.
inline constexpr auto kTokenBytes = [] {
  std::array<bool, 256> table{};
  for (const char c : std::string_view("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                                       "ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    table[static_cast<unsigned char>(c)] = true;
  return table;
}();

constexpr bool IsTokenByte(char c) { return kTokenBytes[static_cast<unsigned char>(c)]; }

constexpr bool IsToken(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return IsTokenByte(c); });
}

constexpr bool IsControl(char c) {
  return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
}

constexpr bool HasControl(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return IsControl(c); });
}

inline bool SameIgnoringCase(std::string_view text, std::string_view lower) {
  return text.size() == lower.size() &&
         std::equal(text.begin(), text.end(), lower.begin(),
                    [](char a, char b) { return base::LowerAscii(a) == b; });
}

}  // namespace outrigger::http
