// What a request's target may say behind the '?'.
//
// Plain functions. Source: contract "Publishing".
#pragma once

#include <initializer_list>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "config/config.h"
#include "http/request.h"

namespace outrigger::publish {

// A parameter that `endpoint` does not take, or that stands twice, is an error, or it would be
// passed over silently.
base::Result<void> CheckQuery(const http::Head& head, std::string_view endpoint,
                              std::initializer_list<std::string_view> names);

// ?ack= or Prefer: respond-async. An unknown value is an error.
base::Result<std::optional<config::Ack>> ReadAck(const http::Head& head);

}  // namespace outrigger::publish
