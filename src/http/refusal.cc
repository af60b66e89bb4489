#include "http/refusal.h"

namespace outrigger::http {

Problem ToProblem(const Refusal& refusal, const Limits& limits, bool streamed) {
  Problem problem;
  problem.status = refusal.status;
  problem.detail = refusal.detail;
  if (!refusal.limit.empty()) problem.limit = limits.FieldOf(refusal.limit);
  if (refusal.status == 503) {
    problem.outcome = streamed ? "unknown" : "none";
    problem.retry_after = 1;
  }
  return problem;
}

Response ToResponse(const Problem& problem) {
  Response response = problem.ToResponse();
  // What would be taken (RFC 9110 section 12.5.3).
  if (problem.status == 415) response.headers.emplace_back("Accept-Encoding", "identity");
  return response;
}

}  // namespace outrigger::http
