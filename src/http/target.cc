#include "http/target.h"

#include "base/json_text.h"
#include "http/problem.h"

namespace outrigger::http {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool ReadQuery(std::string_view query, Head& head) {
  while (!query.empty()) {
    const size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    if (pair.empty()) continue;
    const size_t equals = pair.find('=');
    std::string name, value;
    if (!PercentDecode(pair.substr(0, equals), true, name)) return false;
    if (equals != std::string_view::npos && !PercentDecode(pair.substr(equals + 1), true, value))
      return false;
    head.query.emplace_back(std::move(name), std::move(value));
  }
  return true;
}

}  // namespace

bool PercentDecode(std::string_view text, bool query, std::string& out) {
  out.clear();
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size()) return false;
      const int high = HexDigit(text[i + 1]);
      const int low = HexDigit(text[i + 2]);
      if (high < 0 || low < 0) return false;
      c = static_cast<char>(high * 16 + low);
      if (c == '\0' && !query) return false;
      i += 2;
    } else if (query && c == '+') {
      c = ' ';
    }
    out.push_back(c);
  }
  return true;
}

std::string ReadTarget(std::string_view target, Head& head) {
  const std::string_view whole = target;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!target.starts_with(scheme)) continue;
    const size_t slash = target.find_first_of("/?#", scheme.size());
    if (slash == std::string_view::npos || target[slash] != '/') return "the target has no path";
    target.remove_prefix(slash);
  }
  if (target.empty() || target.front() != '/') return "the target must begin with '/'";
  if (target.find('#') != std::string_view::npos) return "a target has no '#' (write %23)";
  const size_t question = target.find('?');
  if (!PercentDecode(target.substr(0, question), false, head.path) ||
      (question != std::string_view::npos && !ReadQuery(target.substr(question + 1), head)))
    return "the target " + base::JsonString(whole) + " has a bad percent escape";
  return {};
}

}  // namespace outrigger::http
