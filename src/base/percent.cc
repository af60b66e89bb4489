#include "base/percent.h"

namespace outrigger::base {
namespace {

constexpr size_t kEscape = 3;

// Empty: `strict`, and a '%' begins no escape.
std::optional<std::string> Decoded(std::string_view text, bool strict) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto escaped = ReadEscape(text);
    if (strict && text[0] == '%' && !escaped) return {};
    out.push_back(escaped.value_or(text[0]));
    text.remove_prefix(escaped ? kEscape : 1);
  }
  return out;
}

}  // namespace

std::optional<char> ReadEscape(std::string_view text) {
  if (text.size() < kEscape || text[0] != '%') return {};
  const int high = HexDigit(text[1]);
  const int low = HexDigit(text[2]);
  if (high < 0 || low < 0) return {};
  return static_cast<char>(high * 16 + low);
}

std::optional<std::string> PercentDecoded(std::string_view text) { return Decoded(text, true); }

std::string PercentDecodedValue(std::string_view text) { return *Decoded(text, false); }

}  // namespace outrigger::base
