#include "publish/ndjson.h"

#include <algorithm>

#include "event/cloudevents.h"

namespace outrigger::publish {
namespace {

constexpr size_t kMaxFailures = 1000;
// What may be undecided before reading pauses. Enough for full batches to every partition, little
// enough for memory.
constexpr size_t kMaxUndecided = 16'384;
constexpr size_t kMaxUndecidedBytes = 8 << 20;

}  // namespace

NdjsonStream::NdjsonStream(base::Loop& loop, Publisher& publisher, Rate& rate, uint64_t max_line,
                           std::weak_ptr<http::Request> request, std::optional<config::Ack> ack)
    : loop_(loop),
      publisher_(publisher),
      rate_(rate),
      max_line_(max_line),
      reading_(std::move(request)),
      ask_{ack, std::make_shared<Sequence>()} {}

void NdjsonStream::OnChunk(std::string_view chunk) {
  while (!chunk.empty()) {
    const size_t end = chunk.find('\n');
    const std::string_view piece = chunk.substr(0, end);
    const bool too_long = partial_.size() + piece.size() > max_line_;
    if (end == std::string_view::npos) {
      if (too_long) skipping_ = true;
      if (skipping_) {
        partial_.clear();
      } else {
        partial_.append(piece);
      }
      break;
    }
    ++line_;
    if (skipping_ || too_long) {
      http::Problem problem;
      problem.status = 413;
      problem.limit = "http.maxBody";
      problem.detail = "the line is longer than " + std::to_string(max_line_) + " bytes";
      Fail(line_, std::move(problem));
    } else if (partial_.empty()) {
      OnLine(piece);
    } else {
      partial_.append(piece);
      OnLine(partial_);
    }
    partial_.clear();
    skipping_ = false;
    chunk.remove_prefix(end + 1);
  }
  if (const auto request = reading_.lock()) request->held = partial_.size();
  Throttle();
}

void NdjsonStream::OnLine(std::string_view line) {
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  if (line.find_first_not_of(" \t") == std::string_view::npos) return;
  auto event = event::FromEnvelope(publisher_.json(), line);
  if (!event) {
    http::Problem problem;
    problem.status = 400;
    problem.detail = event.error().message;
    return Fail(line_, std::move(problem));
  }
  rate_.Take(1, loop_.Now());
  if (undecided_++ == 0) self_ = shared_from_this();
  undecided_bytes_ += line.size();
  publisher_.Publish(std::move(*event), ask_,
                     [this, at = line_, bytes = line.size()](const Outcome& outcome) {
                       OnOutcome(at, bytes, outcome);
                     });
}

void NdjsonStream::OnOutcome(uint64_t line, size_t bytes, const Outcome& outcome) {
  undecided_bytes_ -= bytes;
  const int code = outcome.code();
  if (code < 300) {
    ++accepted_;
    status_ = std::max(status_, code);
  } else {
    http::Problem problem;
    if (outcome.problem) problem = *outcome.problem;
    for (const auto& target : outcome.targets)
      if (target.problem && target.code() == code) problem = *target.problem;
    Fail(line, std::move(problem));
  }
  if (--undecided_ > 0 && !paused_) return;
  const auto self = undecided_ == 0 ? std::move(self_) : nullptr;
  Throttle();
  AnswerWhenDone();
}

void NdjsonStream::Fail(uint64_t line, http::Problem problem) {
  ++failed_;
  status_ = std::max(status_, problem.status);
  if (failures_.size() < kMaxFailures) failures_.push_back({line, std::move(problem)});
}

void NdjsonStream::Throttle() {
  const auto request = reading_.lock();
  if (!request) return;
  const base::Duration wait = rate_.Wait(loop_.Now());
  const bool full = undecided_ > kMaxUndecided || undecided_bytes_ > kMaxUndecidedBytes;
  const bool still_full =
      undecided_ > kMaxUndecided / 2 || undecided_bytes_ > kMaxUndecidedBytes / 2;
  if (!paused_ && (full || wait.count() > 0)) {
    paused_ = true;
    request->Pause();
  } else if (paused_ && !still_full && wait.count() == 0) {
    paused_ = false;
    request->Resume();
  }
  if (paused_ && wait.count() > 0 && !resume_.armed()) {
    resume_ = loop_.After(wait, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->Throttle();
    });
  }
}

void NdjsonStream::OnEnd() {
  if (!partial_.empty() || skipping_) OnChunk("\n");
  request_ = reading_.lock();
  reading_.reset();
  AnswerWhenDone();
}

void NdjsonStream::OnAbort() { reading_.reset(); }

void NdjsonStream::AnswerWhenDone() {
  if (!request_ || undecided_ > 0) return;
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
    body.append(",\"problem\":").append(failure.problem.Json()).append("}");
  }
  body.append("],\"line\":").append(std::to_string(line_)).append("}");
  if (response.status == 503) response.headers.emplace_back("Retry-After", "1");
  std::exchange(request_, nullptr)->Answer(std::move(response));
}

}  // namespace outrigger::publish
