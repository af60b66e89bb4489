// Percent escapes. Pure. Source: RFC 3986, section 2.1.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/ascii.h"

namespace outrigger::base {

// The byte that the escape (%XX) at the beginning of `text` means; empty: it begins with none.
std::optional<char> ReadEscape(std::string_view text);

// `text` with its escapes resolved, once; empty: one is cut or has no hex digits.
std::optional<std::string> PercentDecoded(std::string_view text);
// The same for a header's value, in which a '%' that begins no escape is only a '%'.
std::string PercentDecodedValue(std::string_view text);

// Every byte for which `keep` is false becomes an escape.
template <class Keep>
std::string PercentEncoded(std::string_view text, Keep keep) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (keep(c)) {
      out.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.push_back('%');
    out.push_back(kDigits[byte >> 4]);
    out.push_back(kDigits[byte & 15]);
  }
  return out;
}

// Bytes that never need one (section 2.3).
constexpr bool IsUnreserved(char c) {
  return IsAlphanumeric(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

}  // namespace outrigger::base
