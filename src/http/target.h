// The request target: its path and query, decoded. Source: RFC 9112 section 3.2, RFC 3986
// section 2.1.
#pragma once

#include <string>
#include <string_view>

#include "http/request.h"

namespace outrigger::http {

// Reads origin-form ("/path?query") and absolute-form ("http://host/path") into head.path and
// head.query. Empty: done; else what is wrong with the target.
std::string ReadTarget(std::string_view target, Head& head);

// Decodes %XX once. In a query '+' is a blank, and a value may have any byte. False: a bad escape,
// or %00 in a path.
bool PercentDecode(std::string_view text, bool query, std::string& out);

}  // namespace outrigger::http
