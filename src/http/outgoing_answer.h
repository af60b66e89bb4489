// The answer of one request after the other while it is sent, and the memory that it is counted
// with.
//
// It knows no socket. Its bytes stay in place from Make to Clear. Thread: the server's loop.
// Lifetime: limits and budget outlive it.
#pragma once

#include <cassert>
#include <string>
#include <string_view>

#include "http/buffer_budget.h"
#include "http/limits.h"
#include "http/request.h"

namespace outrigger::http {

class OutgoingAnswer {
 public:
  OutgoingAnswer(const Limits& limits, BufferBudget& budget)
      : limits_(limits), share_(budget, BufferBudget::Use::kAnswers) {}

  // See Request::ReserveAnswer.
  bool Reserve(uint64_t bytes) { return share_.Hold(bytes); }
  void Release() { share_.Release(); }

  // The parameters: see AppendAnswer. An answer that has no room keeps its code and its headers.
  void Make(Response response, const std::string& date, std::string_view connection,
            bool head_only);

  std::string_view unsent() const { return std::string_view(text_).substr(sent_); }
  void Sent(size_t bytes) {
    assert(bytes <= text_.size() - sent_);
    sent_ += bytes;
  }
  // All of it was sent.
  void Clear();

 private:
  // More memory than this is not kept for the next answer.
  static constexpr size_t kKept = 8 << 10;

  const Limits& limits_;
  BufferShare share_;
  std::string text_;
  size_t sent_ = 0;
};

}  // namespace outrigger::http
