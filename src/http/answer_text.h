// The bytes of an answer as they are sent. Source: RFC 9112 section 4.
#pragma once

#include <string>
#include <string_view>

#include "http/request.h"

namespace outrigger::http {

// `connection` is that header's value, empty for none. `head_only`: the answer to a HEAD.
void AppendAnswer(const Response& response, const std::string& date, std::string_view connection,
                  bool head_only, std::string& out);

}  // namespace outrigger::http
