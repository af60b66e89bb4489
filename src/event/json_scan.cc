#include "event/json_scan.h"

namespace outrigger::event {
namespace {

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

size_t SkipBlanks(std::string_view text, size_t at) {
  while (at < text.size() && IsBlank(text[at])) ++at;
  return at;
}

// Behind the string that begins at `at`.
size_t SkipString(std::string_view text, size_t at) {
  for (size_t quote = text.find('"', at + 1); quote != std::string_view::npos;
       quote = text.find('"', quote + 1)) {
    size_t backslashes = 0;
    while (text[quote - backslashes - 1] == '\\') ++backslashes;  // at `at` is none
    if (backslashes % 2 == 0) return quote + 1;
  }
  return text.size();
}

// Behind the value that begins at `at`.
size_t SkipValue(std::string_view text, size_t at) {
  if (at >= text.size()) return text.size();
  if (text[at] == '"') return SkipString(text, at);
  if (text[at] != '{' && text[at] != '[') {
    while (at < text.size() && text[at] != ',' && text[at] != '}' && text[at] != ']' &&
           !IsBlank(text[at]))
      ++at;
    return at;
  }
  // Brackets balance in valid JSON, so counting both kinds together is enough.
  for (int depth = 0; at < text.size(); ++at) {
    switch (text[at]) {
      case '"':
        at = SkipString(text, at) - 1;
        break;
      case '{':
      case '[':
        ++depth;
        break;
      case '}':
      case ']':
        if (--depth == 0) return at + 1;
        break;
      default:
        break;
    }
  }
  return text.size();
}

unsigned HexValue(std::string_view digits) {
  unsigned value = 0;
  for (const char c : digits) {
    const unsigned digit =
        c <= '9' ? static_cast<unsigned>(c - '0') : static_cast<unsigned>((c | 0x20) - 'a') + 10;
    value = value * 16 + digit;
  }
  return value;
}

void AppendUtf8(std::string& out, unsigned code) {
  const auto tail = [&out](unsigned bits) {
    out.push_back(static_cast<char>(0x80 | (bits & 0x3F)));
  };
  if (code < 0x80) {
    out.push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out.push_back(static_cast<char>(0xC0 | (code >> 6)));
    tail(code);
  } else if (code < 0x10000) {
    out.push_back(static_cast<char>(0xE0 | (code >> 12)));
    tail(code >> 6);
    tail(code);
  } else {
    out.push_back(static_cast<char>(0xF0 | (code >> 18)));
    tail(code >> 12);
    tail(code >> 6);
    tail(code);
  }
}

}  // namespace

std::string_view SkipMark(std::string_view text) {
  return text.starts_with("\xEF\xBB\xBF") ? text.substr(3) : text;
}

std::string_view TrimJson(std::string_view text) {
  text = SkipMark(text);
  text.remove_prefix(SkipBlanks(text, 0));
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  return text;
}

std::string_view FirstValue(std::string_view text) { return text.substr(0, SkipValue(text, 0)); }

void ForEachMember(std::string_view text,
                   const std::function<bool(std::string_view, std::string_view)>& member) {
  size_t at =
      SkipBlanks(text, text.find('{') == std::string_view::npos ? text.size() : text.find('{') + 1);
  while (at < text.size() && text[at] == '"') {
    const size_t name_end = SkipString(text, at);
    const std::string_view name = text.substr(at + 1, name_end - at - 2);
    at = SkipBlanks(text, SkipBlanks(text, name_end) + 1);  // over the colon
    const size_t value_end = SkipValue(text, at);
    if (!member(name, text.substr(at, value_end - at))) return;
    at = SkipBlanks(text, value_end);
    if (at >= text.size() || text[at] != ',') return;
    at = SkipBlanks(text, at + 1);
  }
}

void ForEachItem(std::string_view text, const std::function<bool(std::string_view)>& item) {
  size_t at =
      SkipBlanks(text, text.find('[') == std::string_view::npos ? text.size() : text.find('[') + 1);
  while (at < text.size() && text[at] != ']') {
    const size_t end = SkipValue(text, at);
    if (!item(text.substr(at, end - at))) return;
    at = SkipBlanks(text, end);
    if (at >= text.size() || text[at] != ',') return;
    at = SkipBlanks(text, at + 1);
  }
}

std::string Unescape(std::string_view inside) {
  std::string out;
  out.reserve(inside.size());
  for (size_t i = 0; i < inside.size(); ++i) {
    if (inside[i] != '\\' || i + 1 >= inside.size()) {
      out.push_back(inside[i]);
      continue;
    }
    const char escaped = inside[++i];
    switch (escaped) {
      case 'b':
        out.push_back('\b');
        break;
      case 'f':
        out.push_back('\f');
        break;
      case 'n':
        out.push_back('\n');
        break;
      case 'r':
        out.push_back('\r');
        break;
      case 't':
        out.push_back('\t');
        break;
      case 'u': {
        unsigned code = HexValue(inside.substr(i + 1, 4));
        i += 4;
        const unsigned low =
            inside.substr(i + 1, 2) == "\\u" ? HexValue(inside.substr(i + 3, 4)) : 0;
        if (code >= 0xD800 && code < 0xDC00 && low >= 0xDC00 && low < 0xE000) {
          code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
          i += 6;
        } else if (code >= 0xD800 && code < 0xE000) {
          code = 0xFFFD;  // half a pair is no character
        }
        AppendUtf8(out, code);
        break;
      }
      default:
        out.push_back(escaped);
        break;
    }
  }
  return out;
}

bool NameIs(std::string_view inside, std::string_view name) {
  if (inside.find('\\') == std::string_view::npos) return inside == name;
  return Unescape(inside) == name;
}

}  // namespace outrigger::event
