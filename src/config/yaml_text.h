// Checks of the bytes of a YAML file that the parser does not make.
//
// Thread: any; plain functions. Source: YAML 1.2.2, 5.1 "Character Set" and 7.3 "Flow Scalar
// Styles".
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace outrigger::config {

struct TextFault {
  int line = 0;
  int column = 0;
  std::string message;
  std::string hint;
};

// The first byte that is not UTF-8, or the first character that YAML does not allow.
std::optional<TextFault> FindBadCharacter(std::string_view text);

// Whether the scalar that starts at `start` (its anchor and tag included) opens a quote that
// nothing closes.
bool QuoteIsOpen(std::string_view text, size_t start);

}  // namespace outrigger::config
