// One HTTP request as a hostile client would send it: whatever the pieces it comes in, the result
// must be the same.
//
// Used by the libFuzzer entry tests/fuzz/http.cc and by the replay of its corpus in the unit tests.
#pragma once

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "http/message_parser.h"

namespace outrigger::test {

struct HttpOutcome {
  bool head = false;  // complete and taken
  int status = 0;     // of the refusal
  bool done = false;
  size_t used = 0;  // of all bytes, when done
  std::string method, path, body;

  bool operator==(const HttpOutcome&) const = default;
};

inline HttpOutcome ReadRequest(const std::vector<std::string_view>& pieces) {
  constexpr uint64_t kMaxTrailer = 512;
  HttpOutcome outcome;
  http::Head head;
  http::MessageParser parser(head, kMaxTrailer);
  std::optional<http::Refusal> refusal;
  std::string in, head_bytes;
  size_t scanned = 0;
  const auto sink = [&](std::string_view bytes) {
    outcome.body.append(bytes);
    return bytes.size();
  };
  for (const std::string_view piece : pieces) {
    in.append(piece);
    if (!outcome.head) {
      const auto end = http::FindHeadEnd(in, scanned, refusal);
      if (!refusal && !end) continue;
      if (!refusal) {
        head_bytes = in.substr(0, *end);
        refusal = parser.ReadHead(head_bytes);
        in.erase(0, *end);
        outcome.used = *end;
      }
      outcome.head = !refusal;
    }
    if (!refusal && !parser.body_done()) {
      const size_t used = parser.ReadBody(in, sink, refusal);
      if (used > in.size()) std::abort();
      in.erase(0, used);
      outcome.used += used;
    }
    if (refusal || parser.body_done()) break;
  }
  outcome.status = refusal ? refusal->status : 0;
  outcome.done = !refusal && outcome.head && parser.body_done();
  outcome.method = head.method;
  outcome.path = head.path;
  // What was refused may have been read further or less far, depending on the pieces.
  if (refusal) {
    if (refusal->status < 400 || refusal->status > 599 || refusal->detail.empty()) std::abort();
    outcome.body.clear();
    outcome.used = 0;
    if (!outcome.head) outcome.method.clear(), outcome.path.clear();
  }
  if (!outcome.done) outcome.used = 0;
  if (outcome.done && head.content_length && outcome.body.size() != *head.content_length)
    std::abort();
  return outcome;
}

inline void FuzzHttp(std::string_view bytes) {
  const HttpOutcome whole = ReadRequest({bytes});
  const auto check = [&](const std::vector<std::string_view>& pieces) {
    const HttpOutcome split = ReadRequest(pieces);
    // With several things wrong the first one that came is told; a refusal for another's reason is
    // one too, and so is waiting for more, which the deadline ends.
    if ((whole.status != 0 && !split.done) || (split.status != 0 && !whole.done)) return;
    if (split == whole) return;
    std::fprintf(stderr, "whole: %d %d %zu, split: %d %d %zu\n%.*s\n", whole.status, whole.done,
                 whole.used, split.status, split.done, split.used, static_cast<int>(bytes.size()),
                 bytes.data());
    std::abort();
  };
  for (size_t part = 1; part < 8; ++part) {
    const size_t at = bytes.size() * part / 8;
    check({bytes.substr(0, at), bytes.substr(at)});
  }
  for (const size_t step : {size_t{1}, size_t{3}, size_t{7}}) {
    if (bytes.size() > 4096) break;
    std::vector<std::string_view> pieces;
    for (size_t at = 0; at < bytes.size(); at += step) pieces.push_back(bytes.substr(at, step));
    check(pieces);
  }
}

}  // namespace outrigger::test
