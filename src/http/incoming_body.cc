#include "http/incoming_body.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace outrigger::http {

std::optional<Refusal> IncomingBody::Begin(Plan&& plan, Request& request) {
  plan_ = std::move(plan);
  phase_ = Phase::kReading;
  max_ = std::min(plan_.max_body > 0 ? plan_.max_body : limits_.max_body, limits_.max_bodies);
  const uint64_t length = request.head().content_length.value_or(0);
  if (streamed() || length == 0) return std::nullopt;
  if (length > max_) return TooLarge();
  if (!share_.HasRoom(length)) return NoRoom();
  request.body().reserve(static_cast<size_t>(length));
  return std::nullopt;
}

size_t IncomingBody::Read(std::string_view bytes, MessageParser& parser, Request& request,
                          std::optional<Refusal>& refusal) {
  const auto sink = [&](std::string_view part) -> size_t {
    if (refusal || !reading()) return 0;
    return streamed() ? Stream(part, request, refusal) : Append(part, request.body(), refusal);
  };
  std::optional<Refusal> framing;
  // By reference, since a std::function would allocate memory for a copy.
  const size_t used = parser.ReadBody(bytes, std::cref(sink), framing);
  if (phase_ == Phase::kOver || refusal) return used;
  if (framing) {
    refusal = std::move(framing);
  } else if (!streamed() && max_ < limits_.max_bodies &&
             parser.announced() > max_ - request.body().size()) {
    // The announced size of a chunk may exceed the limit before its bytes arrive.
    refusal = TooLarge();
  }
  return used;
}

size_t IncomingBody::Stream(std::string_view bytes, Request& request,
                            std::optional<Refusal>& refusal) {
  const size_t taken = plan_.on_chunk(bytes);
  if (phase_ == Phase::kOver) return 0;
  if (!share_.Hold(request.held)) refusal = NoRoom();
  return taken;
}

size_t IncomingBody::Append(std::string_view bytes, std::string& body,
                            std::optional<Refusal>& refusal) {
  const uint64_t size = body.size() + bytes.size();
  if (size > max_) {
    refusal = TooLarge();
  } else if (!share_.Hold(size)) {
    refusal = NoRoom();
  } else {
    body.append(bytes);
  }
  return bytes.size();
}

bool IncomingBody::SetPaused(bool paused) {
  const Phase phase = paused ? Phase::kPaused : Phase::kReading;
  if (phase_ == Phase::kOver || phase_ == phase) return false;
  phase_ = phase;
  return true;
}

void IncomingBody::Stop() {
  phase_ = Phase::kOver;
  plan_.on_abort = nullptr;
}

void IncomingBody::Abort() {
  phase_ = Phase::kOver;
  if (plan_.on_abort) std::exchange(plan_.on_abort, nullptr)();
}

void IncomingBody::Clear() {
  Stop();
  plan_.on_chunk = nullptr;
}

Refusal IncomingBody::NoRoom() const {
  return {503, "the bodies of all requests together are larger than the sidecar may hold",
          limits_.bodies_limit};
}

Refusal IncomingBody::TooLarge() const {
  return {413, "the body is larger than " + std::to_string(max_) + " bytes",
          max_ == limits_.max_bodies ? limits_.bodies_limit : "maxBody"};
}

}  // namespace outrigger::http
