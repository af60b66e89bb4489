// The query parameters of a request.
//
// Plain functions. Source: contract "Publishing".
#pragma once

#include <initializer_list>
#include <string_view>

#include "base/result.h"
#include "http/request.h"

namespace outrigger::publish {

// A parameter that `endpoint` does not take, or that appears twice, is an error; otherwise it would
// be ignored silently.
base::Result<void> CheckQuery(const http::Head& head, std::string_view endpoint,
                              std::initializer_list<std::string_view> names);

}  // namespace outrigger::publish
