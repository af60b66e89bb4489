// Text as a JSON string, for the answers, logs and statuses that are written by hand.
#pragma once

#include <string>
#include <string_view>

namespace outrigger::base {

// `text` in quotes, escaped; bytes that are not UTF-8 become U+FFFD (RFC 3629, RFC 8259 section 7).
std::string JsonString(std::string_view text);

// `text` where it has at most `most` bytes; else how it begins, cut between two characters, and
// "…".
std::string Excerpt(std::string_view text, size_t most = 200);

// The length of the well-formed UTF-8 sequence at the start of `text`, which is not empty; 0: it is
// none (RFC 3629).
size_t Utf8Length(std::string_view text);

// The position of the first byte that is not UTF-8; npos: all of `text` is well-formed.
size_t FindBadUtf8(std::string_view text);

// At most `most` bytes of `text`, whole characters of UTF-8 only; bytes that are none are U+FFFD.
std::string Utf8Prefix(std::string_view text, size_t most);

}  // namespace outrigger::base
