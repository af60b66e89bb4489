#include "publish/ndjson.h"

#include <algorithm>

#include "event/cloudevents.h"
#include "publish/answer.h"
#include "publish/slice.h"

namespace outrigger::publish {
namespace {

constexpr size_t kMaxFailures = 1000;
constexpr uint64_t kMaxFailureBytes = 256 << 10;
constexpr uint64_t kFailureMemory = 80;  // what keeping one takes beside its problem's text

}  // namespace

NdjsonStream::NdjsonStream(base::Loop& loop, Publisher& publisher, Rate& rate, size_t& busy,
                           uint64_t max_line, std::weak_ptr<http::Request> request, Ask ask)
    : loop_(loop),
      publisher_(publisher),
      rate_(rate),
      busy_(busy),
      max_line_(max_line),
      reading_(std::move(request)),
      ask_(std::move(ask)) {
  ask_.sequence = std::make_shared<Sequence>();
}

size_t NdjsonStream::OnChunk(std::string_view chunk) {
  size_t taken = 0;
  const base::TimePoint end = loop_.Now() + kSlice;
  while (taken < chunk.size() && !MustWait()) {
    taken += Read(chunk.substr(taken));
    if (taken == chunk.size() || loop_.Now() < end) continue;
    Pause();
    loop_.Post([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->GoOn();
    });
    break;
  }
  if (const auto request = reading_.lock()) request->held = partial_.size();
  return taken;
}

size_t NdjsonStream::Read(std::string_view bytes) {
  const size_t end = bytes.find('\n');
  const std::string_view piece = bytes.substr(0, end);
  // The CR of a CR LF is no part of the line.
  const char last = piece.empty() ? (partial_.empty() ? '\0' : partial_.back()) : piece.back();
  const size_t size = partial_.size() + piece.size() - (last == '\r' ? 1 : 0);
  if (size > max_line_) skipping_ = true;
  if (end != std::string_view::npos) {
    EndLine(piece);
    return end + 1;
  }
  if (skipping_) {
    partial_.clear();
  } else {
    partial_.append(piece);
  }
  return bytes.size();
}

void NdjsonStream::EndLine(std::string_view rest) {
  ++line_;
  std::string begun;  // an outcome comes from inside, and then no line is begun any more
  begun.swap(partial_);
  if (std::exchange(skipping_, false)) {
    Refuse({.reason = RejectionReason::kTooLarge,
            .detail = "the line is longer than " + std::to_string(max_line_) + " bytes",
            .limit = "http.maxBody"});
  } else if (begun.empty()) {
    OnLine(rest);
  } else {
    OnLine(begun.append(rest));
  }
}

void NdjsonStream::OnLine(std::string_view line) {
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  if (line.find_first_not_of(" \t") == std::string_view::npos) return;
  auto event = event::FromEnvelope(publisher_.json(), line);
  if (!event)
    return Refuse({.reason = RejectionReason::kMalformed, .detail = event.error().message});
  rate_.Take(1, loop_.Now());
  if (undecided_++ == 0) {
    self_ = shared_from_this();
    ++busy_;
  }
  const size_t held = line.size() + ask_.bytes();
  undecided_bytes_ += held;
  publisher_.Publish(
      std::move(*event), ask_,
      [this, at = line_, bytes = held](const Outcome& outcome) { OnOutcome(at, bytes, outcome); });
}

void NdjsonStream::OnOutcome(uint64_t line, size_t bytes, const Outcome& outcome) {
  undecided_bytes_ -= bytes;
  const int status = StatusOf(outcome);
  if (status < 300) {
    ++accepted_;
    status_ = std::max(status_, status);
  } else {
    Fail(line, ToProblem(outcome));
  }
  if (--undecided_ > 0 && !paused_) return;
  if (undecided_ == 0) --busy_;
  const auto self = undecided_ == 0 ? std::move(self_) : nullptr;
  GoOn();
}

void NdjsonStream::Refuse(Rejection rejection) {
  publisher_.RefuseUnread(std::move(rejection),
                          [this](const Outcome& outcome) { Fail(line_, ToProblem(outcome)); });
}

void NdjsonStream::Fail(uint64_t line, const http::Problem& problem) {
  ++failed_;
  status_ = std::max(status_, problem.status);
  if (failures_.size() >= kMaxFailures) return;
  std::string text = problem.Json();
  const uint64_t bytes = failure_bytes_ + text.size() + kFailureMemory;
  const auto request = request_ ? request_ : reading_.lock();
  if (bytes > kMaxFailureBytes || !request || !request->ReserveAnswer(bytes)) return;
  failure_bytes_ = bytes;
  failures_.push_back({line, std::move(text)});
}

void NdjsonStream::Pause() {
  if (const auto request = reading_.lock(); request && !std::exchange(paused_, true))
    request->Pause();
}

bool NdjsonStream::Full() const {
  const PublisherOptions& options = publisher_.options();
  // Reading pauses when it is full, until half of it is decided.
  const size_t divisor = std::max<size_t>(busy_, 1) * (paused_ ? 2 : 1);
  return undecided_ >= std::max<size_t>(options.max_undecided / divisor, 1) ||
         undecided_bytes_ >= std::max<size_t>(options.max_undecided_bytes / divisor, 1);
}

bool NdjsonStream::MustWait() {
  const base::Duration wait = rate_.Wait(loop_.Now());
  if (wait.count() == 0 && !Full()) return false;
  Pause();
  if (wait.count() > 0 && !resume_.armed()) {
    resume_ = loop_.After(wait, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->GoOn();
    });
  }
  return true;
}

void NdjsonStream::GoOn() {
  if (request_) return ReadLast();
  const auto request = reading_.lock();
  if (!request || !paused_ || MustWait()) return;
  paused_ = false;
  request->Resume();
}

void NdjsonStream::OnEnd() {
  request_ = reading_.lock();
  reading_.reset();
  ReadLast();
}

// A last line that has no end waits as every other.
void NdjsonStream::ReadLast() {
  if (!partial_.empty() || skipping_) {
    if (MustWait()) return;
    EndLine({});
  }
  AnswerWhenDone();
}

void NdjsonStream::OnAbort() { reading_.reset(); }

void NdjsonStream::AnswerWhenDone() {
  if (!request_ || undecided_ > 0 || !partial_.empty() || skipping_) return;
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
  body.append("],\"line\":").append(std::to_string(line_)).append("}");
  if (response.status == 503) response.headers.emplace_back("Retry-After", "1");
  std::exchange(request_, nullptr)->Answer(std::move(response));
}

}  // namespace outrigger::publish
