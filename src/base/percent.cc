#include "base/percent.h"

namespace outrigger::base {
namespace {

constexpr size_t kEscape = 3;

}  // namespace

std::optional<char> ReadEscape(std::string_view text) {
  if (text.size() < kEscape || text[0] != '%') return {};
  const int high = HexDigit(text[1]);
  const int low = HexDigit(text[2]);
  if (high < 0 || low < 0) return {};
  return static_cast<char>(high * 16 + low);
}

std::optional<std::string> PercentDecoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto escaped = ReadEscape(text);
    if (text[0] == '%' && !escaped) return {};
    out.push_back(escaped.value_or(text[0]));
    text.remove_prefix(escaped ? kEscape : 1);
  }
  return out;
}

std::string PercentDecodedValue(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto escaped = ReadEscape(text);
    out.push_back(escaped.value_or(text[0]));
    text.remove_prefix(escaped ? kEscape : 1);
  }
  return out;
}

}  // namespace outrigger::base
