// Why the server itself refuses a request.
#pragma once

#include <string>

#include "http/limits.h"
#include "http/problem.h"

namespace outrigger::http {

struct Refusal {
  int status = 0;
  std::string detail;
  std::string limit;  // without the prefix: "maxTrailer"
};

// `streamed`: the body went to the handler while it came, so some of it may have had its effect.
Problem ToProblem(const Refusal& refusal, const Limits& limits, bool streamed);

// The answer, with the headers that the status asks for.
Response ToResponse(const Problem& problem);

}  // namespace outrigger::http
