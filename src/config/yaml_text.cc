#include "config/yaml_text.h"

#include <cstdint>
#include <cstdio>

namespace outrigger::config {
namespace {

struct Decoded {
  uint32_t point = 0;
  size_t length = 0;  // 0: not UTF-8
};

Decoded Decode(std::string_view text) {
  const auto byte = [&](size_t at) { return static_cast<uint8_t>(text[at]); };
  const uint8_t first = byte(0);
  if (first < 0x80) return {first, 1};
  const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return {};
  uint32_t point = first & (0x7F >> length);
  for (size_t at = 1; at < length; ++at) {
    if ((byte(at) & 0xC0) != 0x80) return {};
    point = point << 6 | (byte(at) & 0x3F);
  }
  const bool overlong = (length == 3 && point < 0x800) || (length == 4 && point < 0x10000);
  if (overlong || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) return {};
  return {point, length};
}

bool Allowed(uint32_t point) {
  if (point < 0x20) return point == '\t' || point == '\n' || point == '\r';
  if (point >= 0x7F && point < 0xA0) return point == 0x85;
  return point != 0xFFFE && point != 0xFFFF;
}

}  // namespace

std::optional<TextFault> FindBadCharacter(std::string_view text) {
  int line = 1;
  size_t line_start = 0;
  for (size_t at = 0; at < text.size();) {
    const Decoded decoded = Decode(text.substr(at));
    const int column = static_cast<int>(at - line_start) + 1;
    if (decoded.length == 0)
      return TextFault{line, column, "is not UTF-8 text", "save the file as UTF-8"};
    if (!Allowed(decoded.point)) {
      char name[16];
      std::snprintf(name, sizeof name, "U+%04X", decoded.point);
      return TextFault{line, column,
                       std::string("the control character ") + name + " is not allowed",
                       "remove it, or write it as an escape inside double quotes"};
    }
    at += decoded.length;
    if (decoded.point == '\n') {
      ++line;
      line_start = at;
    }
  }
  return std::nullopt;
}

bool QuoteIsOpen(std::string_view text, size_t start) {
  size_t at = start;
  while (at < text.size() && (text[at] == '&' || text[at] == '!')) {
    at = text.find_first_of(" \t\r\n", at);
    if (at != text.npos) at = text.find_first_not_of(" \t\r\n", at);
    if (at == text.npos) return false;
  }
  if (at >= text.size() || (text[at] != '"' && text[at] != '\'')) return false;
  const char quote = text[at++];
  for (; at < text.size(); ++at) {
    if (quote == '"' && text[at] == '\\') {
      ++at;
    } else if (text[at] == quote) {
      const bool doubled = quote == '\'' && at + 1 < text.size() && text[at + 1] == quote;
      if (!doubled) return false;
      ++at;
    }
  }
  return true;
}

}  // namespace outrigger::config
