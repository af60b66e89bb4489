// What a server asks of its user: a plan for the body of each request, and the answers.
//
// Thread: the server's loop calls all of them. Lifetime: what they use outlives the server.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "http/problem.h"
#include "http/request.h"

namespace outrigger::http {

// How the body of a request is read; decided when its head has been read.
struct Plan {
  std::optional<Response> refuse;  // answered at once; the body is not read
  uint64_t max_body = 0;           // 0: Limits::max_body
  bool timeout_restarts = false;   // body_timeout counts from the last progress, not from the head
  // Set: the body is streamed here and never held whole; max_body then does not apply. Returns how
  // much of `chunk` was taken: less than all only after Pause, and the rest comes again after
  // Resume.
  std::function<size_t(std::string_view chunk)> on_chunk;
  // Streamed bodies: the connection ended before the body did. No on_request follows.
  std::function<void()> on_abort;
};

struct Handler {
  std::function<Plan(const std::shared_ptr<Request>&)> on_head;
  // The body is complete (in body(), or streamed). Answer now or later.
  std::function<void(const std::shared_ptr<Request>&)> on_request;
  // The server itself refuses the request and answers `problem`: its body is too large, too slow or
  // malformed. No on_request follows. May be unset.
  std::function<void(const Request&, const Problem& problem)> on_refused = {};
  // After each answer was handed to the socket, for metrics; also for refusals of the server's own.
  std::function<void(std::string_view endpoint, int status)> on_answered;
};

}  // namespace outrigger::http
