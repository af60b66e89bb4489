// RFC 8259's grammar, walked byte by byte: the judge where simdjson refuses a number that is valid
// JSON.
#pragma once

#include <string>
#include <string_view>

namespace outrigger::event {

// Empty when `text` is one JSON value, nested at most `max_depth` deep; else what is wrong, and at
// which byte, counted from `first`. UTF-8 is not looked at.
std::string JsonGrammarProblem(std::string_view text, int max_depth, size_t first = 0);

}  // namespace outrigger::event
