// Walking over JSON that is known to be valid: raw bytes of values, without building anything.
//
// Pure; views into the text. Every function trusts that the text passed JsonReader::Check: on other
// input the results mean nothing (but reads stay inside the text).
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace outrigger::event {

// `text` without a byte order mark at its beginning.
std::string_view SkipMark(std::string_view text);

// `text` without a byte order mark, and without blanks at its ends.
std::string_view TrimJson(std::string_view text);

// The first value in `text` (no blanks before it): its raw bytes.
std::string_view FirstValue(std::string_view text);

// Calls `member` for each member of the object `text` with the raw name (quotes stripped) and the
// raw value, until it returns false.
void ForEachMember(
    std::string_view text,
    const std::function<bool(std::string_view raw_name, std::string_view raw_value)>& member);

// The same for the items of the array `text`.
void ForEachItem(std::string_view text,
                 const std::function<bool(std::string_view raw_value)>& item);

// The characters of a string, given without its quotes, escapes resolved.
std::string Unescape(std::string_view inside);

// Whether the raw name `inside` means `name`.
bool NameIs(std::string_view inside, std::string_view name);

}  // namespace outrigger::event
