#include "publish/refusal.h"

#include <utility>

namespace outrigger::publish {

using telemetry::ProducerReason;

ProducerReason MetricReason(kafka::Reason reason) {
  switch (reason) {
    case kafka::Reason::kTooLarge:
      return ProducerReason::kTooLarge;
    case kafka::Reason::kUnknownTopic:
      return ProducerReason::kUnknownTopic;
    case kafka::Reason::kUnauthorized:
      return ProducerReason::kUnauthorized;
    case kafka::Reason::kTimeout:
      return ProducerReason::kTimeout;
    case kafka::Reason::kInvalid:
      return ProducerReason::kInvalid;
    case kafka::Reason::kBroker:
    case kafka::Reason::kQueueFull:
      break;
  }
  return ProducerReason::kBroker;
}

http::Problem MakeProblem(int status, std::string id, std::string detail) {
  http::Problem problem;
  problem.status = status;
  problem.id = std::move(id);
  problem.detail = std::move(detail);
  return problem;
}

http::Problem ToProblem(const kafka::Refusal& refusal, const std::string& id) {
  http::Problem problem;
  problem.id = id;
  problem.detail = refusal.error.message;
  if (!refusal.error.hint.empty()) problem.detail += "; " + refusal.error.hint;
  problem.outcome = refusal.possibly_stored ? "unknown" : "none";
  switch (refusal.reason) {
    case kafka::Reason::kTooLarge:
      problem.status = 413;
      problem.limit = refusal.memory ? "memory.budget" : "max.message.bytes";
      return problem;
    case kafka::Reason::kInvalid:
      problem.status = 422;
      return problem;
    default:
      problem.status = 503;
      problem.retry_after = kRetryAfterSeconds;
      if (refusal.memory) problem.limit = "memory.budget";
      return problem;
  }
}

}  // namespace outrigger::publish
