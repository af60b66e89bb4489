// Attribute rules that the bindings share. Source: CloudEvents 1.0.2, "Context Attributes".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "event/event.h"

namespace outrigger::event {

// RFC 3339 date-time, leap days and offsets included.
bool IsRfc3339(std::string_view text);
// Milliseconds since 1970 of an RFC 3339 date-time.
int64_t UnixMillis(std::string_view rfc3339);
// A String of CloudEvents ("Type System"): Unicode without control characters and noncharacters.
bool IsAttributeText(std::string_view text);
// Lower-case letters and digits, at least one.
bool IsAttributeName(std::string_view name);
// Puts `value` where attribute `name` belongs, a field or the extensions; true for a field.
bool SetAttribute(Event& event, std::string_view name, std::string value);

}  // namespace outrigger::event
