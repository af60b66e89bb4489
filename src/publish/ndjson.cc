#include "publish/ndjson.h"

#include <algorithm>
#include <string>
#include <utility>

#include "event/cloudevents.h"
#include "publish/answer.h"
#include "publish/slice.h"

namespace outrigger::publish {

NdjsonStream::NdjsonStream(base::Loop& loop, Publisher& publisher, Rate& rate, size_t& busy,
                           uint64_t max_line, std::weak_ptr<http::Request> request, Ask ask)
    : loop_(loop),
      publisher_(publisher),
      rate_(rate),
      busy_(busy),
      reading_(std::move(request)),
      ask_(std::move(ask)),
      lines_(max_line) {
  ask_.sequence = std::make_shared<Sequence>();
}

size_t NdjsonStream::OnChunk(std::string_view chunk) {
  std::string_view rest = chunk;
  const base::TimePoint end = loop_.Now() + kSlice;
  while (!rest.empty() && !MustWait()) {
    if (const auto line = lines_.Next(rest)) OnLine(*line);
    if (rest.empty() || loop_.Now() < end) continue;
    Pause();
    loop_.Post([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->GoOn();
    });
    break;
  }
  if (const auto request = reading_.lock()) request->held = lines_.held();
  return chunk.size() - rest.size();
}

void NdjsonStream::OnLine(const LineCutter::Line& line) {
  if (line.too_long()) {
    return Refuse(line.number(), {.reason = RejectionReason::kTooLarge,
                                  .detail = "the line is longer than " +
                                            std::to_string(lines_.max_line()) + " bytes",
                                  .limit = "http.maxBody"});
  }
  const std::string_view text = line.text();
  if (text.find_first_not_of(" \t") == std::string_view::npos) return;
  auto event = event::FromEnvelope(publisher_.json(), text);
  if (!event) {
    return Refuse(line.number(),
                  {.reason = RejectionReason::kMalformed, .detail = event.error().message});
  }
  rate_.Take(1, loop_.Now());
  if (undecided_++ == 0) {
    self_ = shared_from_this();
    ++busy_;
  }
  const size_t held = text.size() + ask_.bytes();
  undecided_bytes_ += held;
  publisher_.Publish(std::move(*event), ask_,
                     [this, at = line.number(), bytes = held](const Outcome& outcome) {
                       OnOutcome(at, bytes, outcome);
                     });
}

void NdjsonStream::OnOutcome(uint64_t line, size_t bytes, const Outcome& outcome) {
  undecided_bytes_ -= bytes;
  const int status = StatusOf(outcome);
  if (status < 300) {
    answer_.Accept(status);
  } else {
    Fail(line, outcome);
  }
  if (--undecided_ > 0 && !paused_) return;
  if (undecided_ == 0) --busy_;
  const auto self = undecided_ == 0 ? std::move(self_) : nullptr;
  GoOn();
}

void NdjsonStream::Refuse(uint64_t line, Rejection rejection) {
  publisher_.RefuseUnread(std::move(rejection),
                          [this, line](const Outcome& outcome) { Fail(line, outcome); });
}

void NdjsonStream::Fail(uint64_t line, const Outcome& outcome) {
  const auto request = request_ ? request_ : reading_.lock();
  answer_.Fail(line, ToProblem(outcome), request.get());
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
  if (lines_.begun()) {
    if (MustWait()) return;
    OnLine(lines_.Last());
  }
  AnswerWhenDone();
}

void NdjsonStream::OnAbort() { reading_.reset(); }

void NdjsonStream::AnswerWhenDone() {
  if (!request_ || undecided_ > 0 || lines_.begun()) return;
  http::Response response = answer_.ToResponse(lines_.lines());
  ShowPreference(ask_, response);
  std::exchange(request_, nullptr)->Answer(std::move(response));
}

}  // namespace outrigger::publish
