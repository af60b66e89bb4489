// A request of any length with an event on each line, published while it is read and never held
// whole.
//
// Reading pauses, at any line, while too much is undecided or http.rate has no token, so memory is
// bounded by that, not by the request. A bad line doesn't stop the stream. Thread: the flow's.
// Lifetime: shared; it keeps itself alive until its last line is decided.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/loop.h"
#include "http/request.h"
#include "publish/line_cutter.h"
#include "publish/publisher.h"
#include "publish/rate.h"
#include "publish/request_form.h"
#include "publish/stream_answer.h"

namespace outrigger::publish {

// The streams' lines are worked on in slices, others being served in between.
class NdjsonStream : public RequestForm, public std::enable_shared_from_this<NdjsonStream> {
 public:
  // `busy` counts the streams that have undecided lines: they share what may be undecided.
  NdjsonStream(base::Loop& loop, Publisher& publisher, Rate& rate, size_t& busy, uint64_t max_line,
               std::weak_ptr<http::Request> request, Ask ask);

  // Returns how much was taken. Less than all: the request is paused, and resumed when more can be.
  size_t OnChunk(std::string_view chunk);
  // The request's end; the answer follows when every line is decided.
  void OnEnd();
  void OnBody(const std::shared_ptr<http::Request>&) override { OnEnd(); }
  // The connection went: what was taken is published, and nobody is told.
  void OnAbort();

 private:
  void ReadLast();
  void OnLine(const LineCutter::Line& line);
  // A line that is no event.
  void Refuse(uint64_t line, Rejection rejection);
  void Fail(uint64_t line, const Outcome& outcome);
  void Pause();
  void OnOutcome(uint64_t line, size_t bytes, const Outcome& outcome);
  bool Full() const;
  // Whether the next line has to wait; then reading is paused, and goes on by itself.
  bool MustWait();
  void GoOn();
  void AnswerWhenDone();

  base::Loop& loop_;
  Publisher& publisher_;
  Rate& rate_;
  size_t& busy_;
  std::weak_ptr<http::Request> reading_;    // until the end was read
  std::shared_ptr<http::Request> request_;  // from then on
  Ask ask_;

  LineCutter lines_;
  StreamAnswer answer_;
  size_t undecided_ = 0;
  size_t undecided_bytes_ = 0;
  bool paused_ = false;
  base::Timer resume_;
  std::shared_ptr<NdjsonStream> self_;  // while lines are undecided
};

}  // namespace outrigger::publish
