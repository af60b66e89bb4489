#include "publish/outcome.h"

#include <algorithm>

#include "base/json_text.h"

namespace outrigger::publish {
namespace {

std::string_view Name(Target::Status status) {
  switch (status) {
    case Target::Status::kAcked:
      return "acked";
    case Target::Status::kQueued:
      return "queued";
    case Target::Status::kDiscarded:
      return "discarded";
    case Target::Status::kUndecided:
    case Target::Status::kFailed:
      break;
  }
  return "failed";
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
  if (target.problem) out.append(",\"problem\":").append(target.problem->Json(false));
}

}  // namespace

int Target::code() const {
  switch (status) {
    case Status::kAcked:
      return 200;
    case Status::kQueued:
    case Status::kDiscarded:
      return 202;
    case Status::kUndecided:
    case Status::kFailed:
      break;
  }
  return problem ? problem->status : 503;
}

int Outcome::code() const {
  if (problem) return problem->status;
  int worst = 200;
  for (const auto& target : targets) worst = std::max(worst, target.code());
  return worst;
}

void Outcome::AppendJson(std::string& out) const {
  out.push_back('{');
  if (!id.empty()) {
    const std::string shown = base::Excerpt(id, http::Problem::kMaxId);
    out.append("\"id\":").append(base::JsonString(shown)).append(",");
  }
  if (problem) {
    out.append("\"status\":\"failed\",\"problem\":").append(problem->Json(false));
  } else if (targets.size() == 1) {
    const Target& target = targets.front();
    // The failed entry of a batch has only its problem.
    if (target.problem) {
      out.append("\"status\":\"failed\",\"problem\":").append(target.problem->Json(false));
    } else {
      AppendTarget(out, target);
    }
  } else {
    const auto worst =
        std::max_element(targets.begin(), targets.end(),
                         [](const Target& a, const Target& b) { return a.code() < b.code(); });
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

void Outcome::AppendBrief(std::string& out) const {
  const int status = code();
  if (status < 300) {
    out.append("{\"status\":\"").append(Name(targets.front().status)).append("\"}");
    return;
  }
  http::Problem brief;
  brief.status = status;
  out.append("{\"status\":\"failed\",\"problem\":").append(brief.Json()).append("}");
}

http::Response Outcome::ToResponse() const {
  if (problem) return problem->ToResponse();
  if (targets.size() == 1 && targets.front().problem) return targets.front().problem->ToResponse();
  http::Response response;
  response.status = code();
  for (const auto& target : targets) {
    if (target.problem && target.problem->retry_after > 0 && response.headers.empty())
      response.headers.emplace_back("Retry-After", std::to_string(target.problem->retry_after));
  }
  response.body.reserve(160);
  AppendJson(response.body);
  return response;
}

}  // namespace outrigger::publish
