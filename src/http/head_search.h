// Finds the head of the next request in what a connection has read, in whatever pieces it comes: no
// byte is looked at twice.
//
// Pure. Thread: any one. Source: RFC 9112 section 2.2.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "http/refusal.h"

namespace outrigger::http {

class HeadSearch {
 public:
  // How many bytes at the beginning are empty lines, which are tolerated before a request. The
  // caller drops them.
  size_t EmptyLines(std::string_view bytes);
  // The size of the head that `bytes` begin with, its end included; the next call is about the next
  // request. Nothing: it has not arrived whole, or there is a refusal. `bytes` begin where those of
  // the call before began.
  std::optional<size_t> Find(std::string_view bytes, uint64_t max_header,
                             std::optional<Refusal>& refusal);

 private:
  size_t scanned_ = 0;  // bytes that hold no end
};

}  // namespace outrigger::http
