#include "event/formats.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <string>

#include "base/ascii.h"
#include "event/attributes.h"
#include "event/regex.h"
#include "event/uri.h"

namespace outrigger::event {
namespace {

// RFC 1123: labels of letters, digits and inner hyphens, 253 characters in all.
bool IsHostname(std::string_view text) {
  if (text.empty() || text.size() > 253) return false;
  while (true) {
    const size_t dot = text.find('.');
    const std::string_view label = text.substr(0, dot);
    if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-')
      return false;
    if (!std::all_of(label.begin(), label.end(),
                     [](char c) { return base::IsAlphanumeric(c) || c == '-'; }))
      return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

// The usual part of RFC 5321's Mailbox: a dot-atom at a host name.
bool IsEmail(std::string_view text) {
  const size_t at = text.rfind('@');
  if (at == std::string_view::npos || at == 0 || at > 64) return false;
  const std::string_view local = text.substr(0, at);
  if (local.front() == '.' || local.back() == '.' || local.find("..") != std::string_view::npos)
    return false;
  const bool atoms = std::all_of(local.begin(), local.end(), [](char c) {
    return base::IsAlphanumeric(c) || static_cast<unsigned char>(c) >= 0x80 ||
           std::string_view("!#$%&'*+-/=?^_`{|}~.").find(c) != std::string_view::npos;
  });
  return atoms && IsHostname(text.substr(at + 1));
}

bool IsUuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
    if (hyphen ? text[i] != '-' : base::HexDigit(text[i]) < 0) return false;
  }
  return true;
}

bool IsAddress(int family, std::string_view text) {
  // inet_pton reads up to the first zero byte only.
  if (text.find('\0') != std::string_view::npos) return false;
  std::array<unsigned char, 16> address{};
  return inet_pton(family, std::string(text).c_str(), address.data()) == 1;
}

bool IsIpv4(std::string_view text) { return IsAddress(AF_INET, text); }
bool IsIpv6(std::string_view text) { return IsAddress(AF_INET6, text); }

bool IsDate(std::string_view text) { return IsRfc3339(std::string(text) + "T00:00:00Z"); }
bool IsTime(std::string_view text) { return IsRfc3339("2000-01-01T" + std::string(text)); }

// Some of `units`, each behind digits and in their order; takes them off `text`.
bool TakeUnits(std::string_view& text, std::string_view units) {
  const size_t before = text.size();
  for (const char unit : units) {
    const size_t digits = text.find_first_not_of("0123456789");
    if (digits == 0 || digits == std::string_view::npos || text[digits] != unit) continue;
    text.remove_prefix(digits + 1);
  }
  return text.size() < before;
}

// RFC 3339, appendix A.
bool IsDuration(std::string_view text) {
  if (!text.starts_with('P')) return false;
  text.remove_prefix(1);
  if (text.ends_with('W')) return TakeUnits(text, "W") && text.empty();
  const bool date = TakeUnits(text, "YMD");
  if (text.empty()) return date;
  if (text.front() != 'T') return false;
  text.remove_prefix(1);
  return TakeUnits(text, "HMS") && text.empty();
}

bool IsRelativeUri(std::string_view text) { return IsUriReference(text, false); }
bool IsUri(std::string_view text) { return SplitUri(text).scheme && IsUriReference(text, false); }
bool IsRelativeIri(std::string_view text) { return IsUriReference(text, true); }
bool IsIri(std::string_view text) { return SplitUri(text).scheme && IsUriReference(text, true); }

// The content of the braces of a URI template: {?name,other*,third:3}.
bool IsExpression(std::string_view text) {
  if (!text.empty() && std::string_view("+#./;?&=,!@|").find(text[0]) != std::string_view::npos)
    text.remove_prefix(1);
  while (true) {
    const size_t comma = std::min(text.find(','), text.size());
    std::string_view name = text.substr(0, comma);
    if (name.ends_with('*')) {
      name.remove_suffix(1);
    } else if (const size_t colon = name.find(':'); colon != std::string_view::npos) {
      const std::string_view length = name.substr(colon + 1);
      if (length.empty() || length.size() > 4 || length[0] == '0' ||
          length.find_first_not_of("0123456789") != std::string_view::npos)
        return false;
      name = name.substr(0, colon);
    }
    if (name.empty() || !std::all_of(name.begin(), name.end(), [](char c) {
          return base::IsAlphanumeric(c) || c == '_' || c == '.' || c == '%';
        }))
      return false;
    if (comma == text.size()) return true;
    text.remove_prefix(comma + 1);
  }
}

// RFC 6570.
bool IsUriTemplate(std::string_view text) {
  while (!text.empty()) {
    if (text.front() == '{') {
      const size_t end = text.find('}');
      if (end == std::string_view::npos || !IsExpression(text.substr(1, end - 1))) return false;
      text.remove_prefix(end + 1);
      continue;
    }
    const char c = text.front();
    if (static_cast<unsigned char>(c) <= ' ' || c == 0x7F ||
        std::string_view("\"'<>\\^`|}").find(c) != std::string_view::npos)
      return false;
    text.remove_prefix(1);
  }
  return true;
}

// RFC 6901: "" or /tokens, in which ~ is followed by 0 or 1.
bool IsJsonPointer(std::string_view text) {
  if (!text.empty() && text.front() != '/') return false;
  for (size_t at = text.find('~'); at != std::string_view::npos; at = text.find('~', at + 1))
    if (at + 1 == text.size() || (text[at + 1] != '0' && text[at + 1] != '1')) return false;
  return true;
}

// A number of levels up, then # or a JSON pointer.
bool IsRelativeJsonPointer(std::string_view text) {
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  if (digits == 0 || (digits > 1 && text.front() == '0')) return false;
  text.remove_prefix(digits);
  return text == "#" || IsJsonPointer(text);
}

constexpr std::array<std::pair<std::string_view, FormatCheck>, 17> kFormats{
    {{"date-time", IsRfc3339},
     {"date", IsDate},
     {"time", IsTime},
     {"duration", IsDuration},
     {"email", IsEmail},
     {"hostname", IsHostname},
     {"ipv4", IsIpv4},
     {"ipv6", IsIpv6},
     {"uri", IsUri},
     {"uri-reference", IsRelativeUri},
     {"iri", IsIri},
     {"iri-reference", IsRelativeIri},
     {"uri-template", IsUriTemplate},
     {"uuid", IsUuid},
     {"json-pointer", IsJsonPointer},
     {"relative-json-pointer", IsRelativeJsonPointer},
     {"regex", IsRegex}}};

}  // namespace

FormatCheck FindFormat(std::string_view format) {
  for (const auto& [name, check] : kFormats)
    if (name == format) return check;
  return nullptr;
}

size_t FormatCost(std::string_view format, std::string_view text) {
  if (format != "regex") return 50 + 5 * text.size();
  // A class of Unicode takes three bytes to write and a tenth of a millisecond to read.
  size_t classes = 0;
  for (size_t at = 0; at + 1 < text.size(); at += text[at] == '\\' ? 2 : 1)
    if (text[at] == '\\' && (text[at + 1] | 0x20) == 'p') ++classes;
  return 50'000 + 5'000 * text.size() + 200'000 * classes;
}

std::string KnownFormats() {
  std::string all;
  for (const auto& [name, check] : kFormats) all.append(all.empty() ? "" : ", ").append(name);
  return all;
}

}  // namespace outrigger::event
