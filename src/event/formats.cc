#include "event/formats.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <string>

#include "event/attributes.h"

namespace outrigger::event {
namespace {

bool IsAlnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool IsHex(char c) { return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f'); }

// RFC 1123: labels of letters, digits and inner hyphens, 253 characters in all.
bool IsHostname(std::string_view text) {
  if (text.empty() || text.size() > 253) return false;
  while (true) {
    const size_t dot = text.find('.');
    const std::string_view label = text.substr(0, dot);
    if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-')
      return false;
    if (!std::all_of(label.begin(), label.end(), [](char c) { return IsAlnum(c) || c == '-'; }))
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
    return IsAlnum(c) || static_cast<unsigned char>(c) >= 0x80 ||
           std::string_view("!#$%&'*+-/=?^_`{|}~.").find(c) != std::string_view::npos;
  });
  return atoms && IsHostname(text.substr(at + 1));
}

bool IsUuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
    if (hyphen ? text[i] != '-' : !IsHex(text[i])) return false;
  }
  return true;
}

// A scheme, a colon, and only characters of RFC 3986.
bool IsUri(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || !IsAlnum(text[0]) ||
      (text[0] >= '0' && text[0] <= '9'))
    return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size() || !IsHex(text[i + 1]) || !IsHex(text[i + 2])) return false;
    } else if (!IsAlnum(c) &&
               std::string_view("-._~:/?#[]@!$&'()*+,;=").find(c) == std::string_view::npos) {
      return false;
    }
  }
  const std::string_view scheme = text.substr(0, colon);
  return std::all_of(scheme.begin(), scheme.end(),
                     [](char c) { return IsAlnum(c) || c == '+' || c == '-' || c == '.'; });
}

bool IsAddress(int family, std::string_view text) {
  // inet_pton reads up to the first zero byte only.
  if (text.find('\0') != std::string_view::npos) return false;
  std::array<unsigned char, 16> address{};
  return inet_pton(family, std::string(text).c_str(), address.data()) == 1;
}

constexpr std::array<std::string_view, 9> kFormats{"date-time", "date", "time", "email",   "uuid",
                                                   "ipv4",      "ipv6", "uri",  "hostname"};

}  // namespace

bool IsKnownFormat(std::string_view format) {
  return std::find(kFormats.begin(), kFormats.end(), format) != kFormats.end();
}

bool HasFormat(std::string_view text, std::string_view format) {
  if (format == "date-time") return IsRfc3339(text);
  if (format == "date") return IsRfc3339(std::string(text) + "T00:00:00Z");
  if (format == "time") return IsRfc3339("2000-01-01T" + std::string(text));
  if (format == "email") return IsEmail(text);
  if (format == "uuid") return IsUuid(text);
  if (format == "ipv4") return IsAddress(AF_INET, text);
  if (format == "ipv6") return IsAddress(AF_INET6, text);
  if (format == "uri") return IsUri(text);
  if (format == "hostname") return IsHostname(text);
  return true;
}

}  // namespace outrigger::event
