// The query parameters of a request.
//
// Plain functions. Source: contract "Publishing".
#pragma once

#include <charconv>
#include <string>
#include <system_error>

#include "base/json_text.h"
#include "base/result.h"
#include "http/request.h"
#include "publish/endpoint.h"

namespace outrigger::publish {

// A parameter that `endpoint` does not take, or that appears twice, is an error; otherwise it would
// be ignored silently.
base::Result<void> CheckQuery(const http::Head& head, const Endpoint& endpoint);

// A parameter that is a number from `least`; `value` stays where it is absent.
template <typename Number>
base::Result<void> ReadNumber(const http::Head& head, const char* name, Number least,
                              const char* unit, Number& value) {
  const std::string* text = head.Query(name);
  if (!text) return {};
  const char* end = text->data() + text->size();
  const auto [stop, error] = std::from_chars(text->data(), end, value);
  if (error != std::errc() || stop != end || value < least)
    return base::Fail(base::Error::Invalid("?" + std::string(name) + "= is a number" + unit +
                                           " from " + std::to_string(least) + ", not \"" +
                                           base::Excerpt(*text) + "\""));
  return {};
}

}  // namespace outrigger::publish
