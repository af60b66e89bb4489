// The values of JSON Schema's `format` that are checked: date-time, date, time, email, uuid, ipv4,
// ipv6, uri, hostname.
//
// Pure. Source: JSON Schema draft 7 validation, section 7.3, and the RFCs that it names.
#pragma once

#include <string_view>

namespace outrigger::event {

bool IsKnownFormat(std::string_view format);
bool HasFormat(std::string_view text, std::string_view format);

}  // namespace outrigger::event
