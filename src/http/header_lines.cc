#include "http/header_lines.h"

#include <algorithm>
#include <iterator>

#include "http/header_text.h"

namespace outrigger::http {
namespace {

constexpr size_t kUsualSize = 1 << 10;

// Headers of the message framing: two of them that disagree would allow request smuggling.
bool IsFraming(std::string_view name) {
  static constexpr std::string_view kFraming[] = {"host",   "content-length", "transfer-encoding",
                                                  "expect", "connection",     "upgrade"};
  return std::any_of(std::begin(kFraming), std::end(kFraming),
                     [&](std::string_view framing) { return SameIgnoringCase(name, framing); });
}

std::string WhatIsWrong(std::string_view name, std::string_view value) {
  if (!IsToken(name)) return "a header's name has a byte that it can't have";
  if (IsFraming(name)) return "the header " + std::string(name) + " can't be set by the caller";
  if (HasControl(value))
    return "the value of the header " + std::string(name) + " has a control byte";
  return {};
}

}  // namespace

void HeaderLines::Add(std::string_view name, std::string_view value) {
  if (std::string wrong = WhatIsWrong(name, value); !wrong.empty()) {
    if (wrong_.empty()) wrong_ = std::move(wrong);
    return;
  }
  if (text_.empty()) text_.reserve(kUsualSize);
  text_.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace outrigger::http
