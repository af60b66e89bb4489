// URIs and references to them (RFC 3986): taken apart, checked and resolved.
//
// Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace outrigger::event {

struct UriParts {
  std::optional<std::string_view> scheme, authority;
  std::string_view path;
  std::optional<std::string_view> query, fragment;
};

// Appendix B: every text has parts; views into it.
UriParts SplitUri(std::string_view text);

// Whether `text` is a URI or a relative reference; `beyond_ascii` allows what IRIs have more
// (RFC 3987).
bool IsUriReference(std::string_view text, bool beyond_ascii);

// Section 5.2: what `reference` means in a document at `base`.
std::string ResolveUri(std::string_view base, std::string_view reference);

}  // namespace outrigger::event
