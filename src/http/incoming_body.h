// The body of one request after the other while it is received: where its bytes go, as its plan
// says, and what the limits allow of it.
//
// It knows no socket: the caller gives it what was read. Thread: the server's loop. Lifetime:
// limits and budget outlive it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "http/buffer_budget.h"
#include "http/handler.h"
#include "http/limits.h"
#include "http/message_parser.h"
#include "http/refusal.h"

namespace outrigger::http {

class IncomingBody {
 public:
  IncomingBody(const Limits& limits, BufferBudget& budget)
      : limits_(limits), share_(budget, BufferBudget::Use::kBodies) {}

  // A head was read, and `plan` is made for its body; from here on bytes are taken. A refusal where
  // the length that the head announces is too large. Room for a body that is kept whole is made in
  // `request`.
  std::optional<Refusal> Begin(Plan&& plan, Request& request);

  // Gives the body's bytes to the plan or to `request`, decoded by `parser`. Returns how many were
  // used. When on_chunk answered the request, the phase is over and `request` may be gone.
  size_t Read(std::string_view bytes, MessageParser& parser, Request& request,
              std::optional<Refusal>& refusal);

  // Whether bytes are taken now.
  bool reading() const { return phase_ == Phase::kReading; }
  // Whether on_chunk is given the bytes.
  bool streamed() const { return plan_.on_chunk != nullptr; }
  bool timeout_restarts() const { return plan_.timeout_restarts; }

  // Flow control; false: nothing has changed by this.
  bool SetPaused(bool paused);
  // The request is answered: nothing more is taken.
  void Stop();
  // Nothing more is taken, and the handler is told once that the body won't be complete.
  void Abort();
  // Nothing more is taken, and the plan is let go with what it holds.
  void Clear();

  // The handler keeps so much of the complete body.
  void Hold(uint64_t bytes) { share_.Hold(bytes); }
  // The handler keeps nothing any more.
  void Release() { share_.Release(); }

 private:
  enum class Phase { kReading, kPaused, kOver };

  // Both return how much was taken.
  size_t Stream(std::string_view bytes, Request& request, std::optional<Refusal>& refusal);
  size_t Append(std::string_view bytes, std::string& body, std::optional<Refusal>& refusal);
  Refusal NoRoom() const;
  Refusal TooLarge() const;

  const Limits& limits_;
  BufferShare share_;
  Phase phase_ = Phase::kOver;
  Plan plan_;
  uint64_t max_ = 0;  // of a body that is kept whole
};

}  // namespace outrigger::http
