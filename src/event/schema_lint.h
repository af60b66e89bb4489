// What is refused in a JSON Schema before it is used: everything that could break, stall or
// silently not be checked.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace outrigger::event {

struct SchemaFault {
  std::string pointer;  // RFC 6901, into the schema
  std::string message;
  std::string hint;
};

// Whether the schema says that it is one of draft 4.
bool IsDraft4(const nlohmann::json& schema);

// Drafts 4, 6 and 7 pass; circular and remote $ref, unknown types, keywords of 2019-09 and later,
// regular expressions that RE2 refuses or that repeat a repetition, and formats that are not
// checked do not.
std::vector<SchemaFault> LintSchema(const nlohmann::json& schema);

}  // namespace outrigger::event
