// Answers on their way out, and what comes after one: the next request, or the end.
#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "http/connection.h"
#include "http/problem.h"
#include "http/served_request.h"

namespace outrigger::http {

using boost::system::error_code;

void Connection::Answer(ServedRequest& request, Response response) {
  if (state_ == State::kClosed || answering_ != &request) return;
  answering_ = nullptr;
  // The rest of a body that nobody waits for is not read.
  if (state_ == State::kBody) close_after_ = true;
  plan_.on_abort = nullptr;
  if (owner_->handler.on_answered) owner_->handler.on_answered(request.endpoint, response.status);
  close_after_ = close_after_ || response.close || owner_->draining;
  Send(response, request.head().method == "HEAD");
}

void Connection::Refuse(const Refusal& refusal) {
  Problem problem;
  problem.status = refusal.status;
  problem.detail = refusal.detail;
  if (!refusal.limit.empty()) problem.limit = owner_->limits.prefix + "." + refusal.limit;
  if (refusal.status == 503) {
    problem.outcome = plan_.on_chunk ? "unknown" : "none";  // of a stream, some may be published
    problem.retry_after = 1;
  }
  close_after_ = true;
  const auto request = std::move(request_);
  if (plan_.on_abort) std::exchange(plan_.on_abort, nullptr)();
  if (request) {
    if (owner_->handler.on_refused) owner_->handler.on_refused(*request, problem);
    request->Answer(problem.ToResponse());
    return;
  }
  if (owner_->handler.on_answered) owner_->handler.on_answered("none", refusal.status);
  Send(problem.ToResponse(), false);
}

void Connection::Send(const Response& response, bool head_only) {
  request_.reset();
  Hold(0);
  state_ = State::kWriting;
  out_.append("HTTP/1.1 ").append(std::to_string(response.status)).append(" ");
  out_.append(ReasonPhrase(response.status))
      .append("\r\nContent-Type: ")
      .append(response.content_type);
  out_.append("\r\nContent-Length: ").append(std::to_string(response.body.size()));
  for (const auto& [name, value] : response.headers)
    out_.append("\r\n").append(name).append(": ").append(value);
  if (close_after_)
    out_.append("\r\nConnection: close");
  else if (parser_ && parser_->http_1_0())
    out_.append("\r\nConnection: keep-alive");  // which HTTP/1.0 has to be told
  out_.append("\r\n\r\n");
  if (!head_only) out_.append(response.body);
  SetDeadline(Wait::kWrite);
  Write();
}

void Connection::Write() {
  // Most answers fit into the socket's buffer: no need to wait for the loop to say so.
  error_code error;
  out_begin_ += socket_.write_some(
      boost::asio::buffer(out_.data() + out_begin_, out_.size() - out_begin_), error);
  if (error && error != boost::asio::error::would_block) return Close();
  if (out_begin_ == out_.size()) return OnWritten();
  boost::asio::async_write(socket_,
                           boost::asio::buffer(out_.data() + out_begin_, out_.size() - out_begin_),
                           [self = shared_from_this()](const error_code& failed, size_t) {
                             if (self->state_ == State::kClosed) return;
                             if (failed) return self->Close();
                             self->OnWritten();
                           });
}

void Connection::OnWritten() {
  out_.clear();
  out_begin_ = 0;
  if (close_after_) return Linger();
  NextRequest();
}

void Connection::NextRequest() {
  state_ = State::kHead;
  parser_.reset();
  plan_ = Plan();
  head_scanned_ = 0;
  SetDeadline(Wait::kIdle);
  ShrinkBuffers();
  Work();
}

void Connection::ShrinkBuffers() {
  if (in_.size() == in_begin_ && in_.capacity() > kSmallBuffer * 2) {
    in_ = std::string();
    in_begin_ = 0;
  }
  if (out_.capacity() > kSmallBuffer * 2) out_ = std::string();
}

void Connection::Linger() {
  state_ = State::kLinger;
  SetDeadline(Wait::kLinger);
  error_code ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
  in_.clear();
  in_begin_ = 0;
  if (ended_) return Close();
  Read();
}

}  // namespace outrigger::http
