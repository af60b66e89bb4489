#include "http/target.h"

#include "base/json_text.h"
#include "base/percent.h"
#include "http/header_text.h"

namespace outrigger::http {
namespace {

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
      const auto escaped = base::ReadEscape(text.substr(i));
      if (!escaped || (*escaped == '\0' && !query)) return false;
      c = *escaped;
      i += 2;
    } else if (query && c == '+') {
      c = ' ';
    }
    out.push_back(c);
  }
  return true;
}

std::string ReadTarget(std::string_view target, Head& head) {
  const auto bad_escape = [whole = target] {
    return "the target " + base::JsonString(base::Excerpt(whole)) + " has a bad percent escape";
  };
  bool absolute = false;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (absolute || !SameIgnoringCase(target.substr(0, scheme.size()), scheme)) continue;
    absolute = true;
    target.remove_prefix(scheme.size());
    const size_t end = std::min(target.find_first_of("/?#"), target.size());
    const std::string_view host = target.substr(0, end);
    if (host.empty() || host.find('@') != std::string_view::npos)
      return "the target names no host, or a user before it";
    target.remove_prefix(end);
  }
  if (target.find('#') != std::string_view::npos) return "a target has no '#' (write %23)";
  const size_t question = target.find('?');
  const std::string_view path = target.substr(0, question);
  if (path == "*" && head.method == "OPTIONS") {
    head.path = path;  // asterisk-form: the server as a whole
  } else if (absolute && path.empty()) {
    head.path = "/";
  } else if (!path.starts_with('/')) {
    return "the target must begin with '/'";
  } else if (!PercentDecode(path, false, head.path)) {
    return bad_escape();
  }
  if (question != std::string_view::npos && !ReadQuery(target.substr(question + 1), head))
    return bad_escape();
  return {};
}

}  // namespace outrigger::http
