// The grammar of RFC 8259, byte by byte: it decides where simdjson refuses a number that is valid
// JSON, and on records of other producers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace outrigger::event {

// Half a surrogate pair as an escape, "\ud800", is in the grammar (section 8.2), but no text.
enum class Surrogates { kInPairs, kAny };

// Empty when `text` is one JSON value, nested at most `max_depth` deep; else what is wrong, and at
// which byte, counted from `first`. UTF-8 is not looked at. Takes one byte of memory for each
// level.
std::string JsonGrammarProblem(std::string_view text, size_t max_depth, size_t first = 0,
                               Surrogates surrogates = Surrogates::kInPairs);

// Whether `text` is JSON as any producer may write it: nested to any depth, with half
// surrogate pairs, and its strings in any encoding that has ASCII's bytes.
bool IsJsonText(std::string_view text);

}  // namespace outrigger::event
