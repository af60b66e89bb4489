#include "event/uri.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "base/ascii.h"

namespace outrigger::event {
namespace {

bool IsScheme(std::string_view text) {
  return !text.empty() && base::IsLetter(text.front()) &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return base::IsAlphanumeric(c) || c == '+' || c == '-' || c == '.';
         });
}

// Unreserved characters, percent escapes and those in `more`.
bool HasOnly(std::string_view text, std::string_view more, bool beyond_ascii) {
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size() || base::HexDigit(text[i + 1]) < 0 ||
          base::HexDigit(text[i + 2]) < 0)
        return false;
      i += 2;
    } else if (static_cast<unsigned char>(c) >= 0x80) {
      if (!beyond_ascii) return false;
    } else if (!base::IsAlphanumeric(c) &&
               std::string_view("-._~").find(c) == std::string_view::npos &&
               more.find(c) == std::string_view::npos) {
      return false;
    }
  }
  return true;
}

constexpr std::string_view kInPath = "!$&'()*+,;=:@/";
constexpr std::string_view kInQuery = "!$&'()*+,;=:@/?";
constexpr std::string_view kInHost = "!$&'()*+,;=";
constexpr std::string_view kInUser = "!$&'()*+,;=:";

bool IsIpLiteral(std::string_view text) {
  if (text.empty()) return false;
  if ((text.front() | 0x20) == 'v') {
    const size_t dot = text.find('.');
    return dot != std::string_view::npos && dot > 1 && dot + 1 < text.size() &&
           HasOnly(text.substr(dot + 1), kInUser, false);
  }
  std::array<unsigned char, 16> address{};
  return text.find('\0') == std::string_view::npos &&
         inet_pton(AF_INET6, std::string(text).c_str(), address.data()) == 1;
}

bool IsAuthority(std::string_view text, bool beyond_ascii) {
  if (const size_t at = text.find('@'); at != std::string_view::npos) {
    if (!HasOnly(text.substr(0, at), kInUser, beyond_ascii)) return false;
    text.remove_prefix(at + 1);
  }
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    if (end == std::string_view::npos || !IsIpLiteral(text.substr(1, end - 1))) return false;
    text.remove_prefix(end + 1);
  } else {
    const size_t colon = std::min(text.find(':'), text.size());
    if (!HasOnly(text.substr(0, colon), kInHost, beyond_ascii)) return false;
    text.remove_prefix(colon);
  }
  if (text.empty()) return true;
  return text.front() == ':' && std::all_of(text.begin() + 1, text.end(), base::IsDigit);
}

// Section 5.2.4.
std::string WithoutDots(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    if (path.starts_with("../")) {
      path.remove_prefix(3);
    } else if (path.starts_with("./") || path.starts_with("/./")) {
      path.remove_prefix(2);
    } else if (path == "/.") {
      path = "/";
    } else if (path.starts_with("/../") || path == "/..") {
      path = path.size() == 3 ? std::string_view("/") : path.substr(3);
      out.erase(std::min(out.rfind('/'), out.size()));
    } else if (path == "." || path == "..") {
      path = {};
    } else {
      const size_t end = std::min(path.find('/', 1), path.size());
      out += path.substr(0, end);
      path.remove_prefix(end);
    }
  }
  return out;
}

std::string Merged(const UriParts& base, std::string_view path) {
  if (base.authority && base.path.empty()) return "/" + std::string(path);
  const size_t slash = base.path.rfind('/');
  return std::string(base.path.substr(0, slash == std::string_view::npos ? 0 : slash + 1)) +
         std::string(path);
}

}  // namespace

UriParts SplitUri(std::string_view text) {
  UriParts parts;
  if (const size_t hash = text.find('#'); hash != std::string_view::npos) {
    parts.fragment = text.substr(hash + 1);
    text = text.substr(0, hash);
  }
  if (const size_t question = text.find('?'); question != std::string_view::npos) {
    parts.query = text.substr(question + 1);
    text = text.substr(0, question);
  }
  if (const size_t colon = text.find(':');
      colon != std::string_view::npos && IsScheme(text.substr(0, colon))) {
    parts.scheme = text.substr(0, colon);
    text.remove_prefix(colon + 1);
  }
  if (text.starts_with("//")) {
    const size_t slash = std::min(text.find('/', 2), text.size());
    parts.authority = text.substr(2, slash - 2);
    text.remove_prefix(slash);
  }
  parts.path = text;
  return parts;
}

bool IsUriReference(std::string_view text, bool beyond_ascii) {
  const UriParts parts = SplitUri(text);
  // The first segment of a relative path has no colon: it would be read as a scheme.
  if (!parts.scheme && !parts.authority &&
      parts.path.substr(0, parts.path.find('/')).find(':') != std::string_view::npos)
    return false;
  return HasOnly(parts.path, kInPath, beyond_ascii) &&
         (!parts.authority || IsAuthority(*parts.authority, beyond_ascii)) &&
         (!parts.query || HasOnly(*parts.query, kInQuery, beyond_ascii)) &&
         (!parts.fragment || HasOnly(*parts.fragment, kInQuery, beyond_ascii));
}

std::string ResolveUri(std::string_view base_text, std::string_view reference) {
  const UriParts base = SplitUri(base_text);
  const UriParts given = SplitUri(reference);
  UriParts result = given;
  std::string path;
  if (given.scheme || given.authority) {
    path = WithoutDots(given.path);
  } else {
    result.authority = base.authority;
    if (given.path.empty()) {
      path = base.path;
      if (!given.query) result.query = base.query;
    } else {
      path = WithoutDots(given.path.starts_with('/') ? std::string(given.path)
                                                     : Merged(base, given.path));
    }
  }
  if (!given.scheme) result.scheme = base.scheme;
  std::string out;
  if (result.scheme) out.append(*result.scheme).append(":");
  if (result.authority) out.append("//").append(*result.authority);
  out += path;
  if (result.query) out.append("?").append(*result.query);
  if (result.fragment) out.append("#").append(*result.fragment);
  return out;
}

}  // namespace outrigger::event
