#include "publish/answer.h"

#include <algorithm>
#include <cassert>

#include "base/json_text.h"
#include "base/percent.h"

namespace outrigger::publish {
namespace {

std::string_view Name(Target::Status status) {
  switch (status) {
    case Target::Status::kAcked:
      return "acked";
    case Target::Status::kSpooled:
      return "spooled";
    case Target::Status::kDeadLettered:
      return "dead_lettered";
    case Target::Status::kQuarantined:
      return "quarantined";
    case Target::Status::kQueued:
      return "queued";
    case Target::Status::kDiscarded:
      return "discarded";
    case Target::Status::kUndecided:
      return "pending";
    case Target::Status::kFailed:
      break;
  }
  return "failed";
}

// "problem":…; the id is beside it.
void AppendProblem(std::string& out, const Rejection& rejection) {
  out.append("\"problem\":").append(ToProblem(rejection, {}).Json(false));
}

// "status":…,"topic":…,"partition":…,"offset":… of one target.
void AppendTarget(std::string& out, const Target& target) {
  out.append("\"status\":\"").append(Name(target.status)).append("\"");
  // A discarded event has no topic that a reader could find it in.
  if (target.status != Target::Status::kDiscarded)
    out.append(",\"topic\":").append(base::JsonString(target.topic));
  if (target.status == Target::Status::kAcked) {
    out.append(",\"partition\":").append(std::to_string(target.partition));
    out.append(",\"offset\":").append(std::to_string(target.offset));
  }
  if (target.rejection) AppendProblem(out.append(","), *target.rejection);
}

}  // namespace

int StatusOf(RejectionReason reason) {
  switch (reason) {
    case RejectionReason::kMalformed:
      return 400;
    case RejectionReason::kNoRoute:
      return 404;
    case RejectionReason::kConflict:
      return 409;
    case RejectionReason::kTooLarge:
      return 413;
    case RejectionReason::kInvalid:
      return 422;
    case RejectionReason::kNotSupported:
      return 501;
    case RejectionReason::kUnknownTopic:
    case RejectionReason::kUnauthorized:
    case RejectionReason::kTimeout:
    case RejectionReason::kUnavailable:
    case RejectionReason::kSpoolFull:
    case RejectionReason::kDisk:
      break;
  }
  return 503;
}

int StatusOf(const Target& target) {
  switch (target.status) {
    case Target::Status::kAcked:
      return 200;
    case Target::Status::kSpooled:
    case Target::Status::kDeadLettered:
    case Target::Status::kQuarantined:
    case Target::Status::kQueued:
    case Target::Status::kDiscarded:
      return 202;
    case Target::Status::kUndecided:
    case Target::Status::kFailed:
      break;
  }
  return target.rejection ? StatusOf(target.rejection->reason) : 503;
}

int StatusOf(const Outcome& outcome) {
  if (outcome.rejection) return StatusOf(outcome.rejection->reason);
  int worst = 200;
  for (const auto& target : outcome.targets) worst = std::max(worst, StatusOf(target));
  return worst;
}

http::Problem ToProblem(const Rejection& rejection, const std::string& id) {
  http::Problem problem;
  problem.status = StatusOf(rejection.reason);
  problem.detail = rejection.detail;
  problem.id = id;
  problem.errors = rejection.errors;
  if (rejection.outcome != RecordOutcome::kUnsaid)
    problem.outcome = rejection.outcome == RecordOutcome::kNone ? "none" : "unknown";
  problem.limit = rejection.limit;
  if (rejection.retryable()) problem.retry_after = kRetryAfterSeconds;
  return problem;
}

http::Problem ToProblem(const Outcome& outcome) {
  const Rejection* rejection = outcome.rejection.get();
  const int status = StatusOf(outcome);
  for (const auto& target : outcome.targets)
    if (target.rejection && StatusOf(target) == status) rejection = target.rejection.get();
  assert(rejection);
  return ToProblem(*rejection, outcome.id);
}

void AppendJson(std::string& out, const Outcome& outcome) {
  out.push_back('{');
  const auto& targets = outcome.targets;
  if (!outcome.id.empty()) {
    const std::string shown = base::Excerpt(outcome.id, http::Problem::kMaxId);
    out.append("\"id\":").append(base::JsonString(shown)).append(",");
  }
  if (outcome.rejection) {
    AppendProblem(out.append("\"status\":\"failed\","), *outcome.rejection);
  } else if (targets.size() == 1) {
    const Target& target = targets.front();
    // The failed entry of a batch has only its problem.
    if (target.rejection) {
      AppendProblem(out.append("\"status\":\"failed\","), *target.rejection);
    } else {
      AppendTarget(out, target);
    }
  } else {
    const auto worst = std::max_element(
        targets.begin(), targets.end(),
        [](const Target& a, const Target& b) { return StatusOf(a) < StatusOf(b); });
    out.append("\"status\":\"").append(Name(worst->status)).append("\",\"targets\":[");
    for (const auto& target : targets) {
      if (&target != &targets.front()) out.push_back(',');
      out.push_back('{');
      AppendTarget(out, target);
      out.push_back('}');
    }
    out.push_back(']');
  }
  out.push_back('}');
}

void AppendBrief(std::string& out, const Outcome& outcome) {
  const int status = StatusOf(outcome);
  if (status < 300) {
    out.append("{\"status\":\"").append(Name(outcome.targets.front().status)).append("\"}");
    return;
  }
  http::Problem brief;
  brief.status = status;
  out.append("{\"status\":\"failed\",\"problem\":").append(brief.Json()).append("}");
}

http::Response ToResponse(const Outcome& outcome) {
  const auto& targets = outcome.targets;
  if (outcome.rejection || (targets.size() == 1 && targets.front().rejection))
    return ToProblem(outcome).ToResponse();
  http::Response response;
  response.status = StatusOf(outcome);
  if (std::any_of(targets.begin(), targets.end(), [](const Target& target) {
        return target.rejection && target.rejection->retryable();
      }))
    response.headers.emplace_back("Retry-After", std::to_string(kRetryAfterSeconds));
  if (std::any_of(targets.begin(), targets.end(),
                  [](const Target& target) { return target.status == Target::Status::kSpooled; }))
    response.headers.emplace_back(
        "Location", "/v1/events/" + base::PercentEncoded(outcome.id, base::IsUnreserved));
  response.body.reserve(160);
  AppendJson(response.body, outcome);
  return response;
}

}  // namespace outrigger::publish
