// The values of JSON Schema's `format` that are checked.
//
// Pure. Source: JSON Schema Validation 2020-12, section 7.3, and the RFCs that it names.
#pragma once

#include <string>
#include <string_view>

namespace outrigger::event {

using FormatCheck = bool (*)(std::string_view text);

// Null: the format is not checked.
FormatCheck FindFormat(std::string_view format);
// About how long the check of `text` takes, in nanoseconds.
size_t FormatCost(std::string_view format, std::string_view text);
// "date-time, date, …"
std::string KnownFormats();

}  // namespace outrigger::event
