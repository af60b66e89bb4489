#include "publish/stream_answer.h"

#include <algorithm>
#include <utility>

namespace outrigger::publish {
namespace {

constexpr size_t kMaxFailures = 1000;
constexpr uint64_t kMaxFailureBytes = 256 << 10;
constexpr uint64_t kFailureMemory = 80;  // what keeping one takes beside its problem's text

}  // namespace

void StreamAnswer::Accept(int status) {
  ++accepted_;
  status_ = std::max(status_, status);
}

void StreamAnswer::Fail(uint64_t line, const http::Problem& problem, http::Request* request) {
  ++failed_;
  status_ = std::max(status_, problem.status);
  if (failures_.size() >= kMaxFailures) return;
  std::string text = problem.Json();
  const uint64_t bytes = failure_bytes_ + text.size() + kFailureMemory;
  if (bytes > kMaxFailureBytes || !request || !request->ReserveAnswer(bytes)) return;
  failure_bytes_ = bytes;
  failures_.push_back({line, std::move(text)});
}

http::Response StreamAnswer::ToResponse(uint64_t lines) {
  // Failures are noted when decided, which is not the order of the lines.
  std::sort(failures_.begin(), failures_.end(),
            [](const FailedLine& a, const FailedLine& b) { return a.line < b.line; });
  http::Response response;
  response.status = status_;
  auto& body = response.body;
  body.append("{\"accepted\":").append(std::to_string(accepted_));
  body.append(",\"failed\":").append(std::to_string(failed_)).append(",\"failures\":[");
  for (const auto& failure : failures_) {
    if (&failure != &failures_.front()) body.push_back(',');
    body.append("{\"line\":").append(std::to_string(failure.line));
    body.append(",\"problem\":").append(failure.problem).append("}");
  }
  body.append("],\"line\":").append(std::to_string(lines)).append("}");
  if (response.status == 503) response.headers.emplace_back("Retry-After", "1");
  return response;
}

}  // namespace outrigger::publish
