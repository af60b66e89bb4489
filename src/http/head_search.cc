#include "http/head_search.h"

#include <string>

#include "http/message_parser.h"

namespace outrigger::http {

size_t HeadSearch::EmptyLines(std::string_view bytes) {
  size_t skipped = 0;
  while (bytes.substr(skipped).starts_with("\r\n")) skipped += 2;
  if (skipped > 0) scanned_ = 0;
  return skipped;
}

std::optional<size_t> HeadSearch::Find(std::string_view bytes, uint64_t max_header,
                                       std::optional<Refusal>& refusal) {
  const auto end = FindHeadEnd(bytes, scanned_, refusal);
  if (refusal) return std::nullopt;
  if (end.value_or(bytes.size()) > max_header) {
    refusal = {431, "the request's head is larger than " + std::to_string(max_header) + " bytes",
               "maxHeader"};
    return std::nullopt;
  }
  if (end) scanned_ = 0;
  return end;
}

}  // namespace outrigger::http
