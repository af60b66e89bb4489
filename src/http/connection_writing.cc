// Writes answers, and continues with the next request or the end.
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
  // The rest of an unused body is not read.
  if (state_ == State::kBody) close_after_ = true;
  plan_.on_abort = nullptr;
  if (owner_->handler.on_answered) owner_->handler.on_answered(request.endpoint, response.status);
  // A client that has sent more requests gets Connection: close with the last of its answers.
  close_after_ = close_after_ || response.close || (owner_->closing && !HasUnread());
  Send(std::move(response), request.head().method == "HEAD");
}

void Connection::Refuse(const Refusal& refusal) {
  Problem problem;
  problem.status = refusal.status;
  problem.detail = refusal.detail;
  if (!refusal.limit.empty()) problem.limit = owner_->limits.FieldOf(refusal.limit);
  if (refusal.status == 503) {
    problem.outcome = plan_.on_chunk ? "unknown" : "none";  // of a stream, some may be published
    problem.retry_after = 1;
  }
  Response response = problem.ToResponse();
  // What would be taken (RFC 9110 section 12.5.3).
  if (refusal.status == 415) response.headers.emplace_back("Accept-Encoding", "identity");
  close_after_ = true;
  const auto request = std::move(request_);
  if (plan_.on_abort) std::exchange(plan_.on_abort, nullptr)();
  if (request) {
    if (owner_->handler.on_refused) owner_->handler.on_refused(*request, problem);
    request->Answer(std::move(response));
    return;
  }
  if (owner_->handler.on_answered) owner_->handler.on_answered("none", refusal.status);
  Send(std::move(response), false);
}

void AppendAnswer(const Response& response, const std::string& date, std::string_view connection,
                  bool head_only, std::string& out) {
  out.reserve(out.size() + 256 + (head_only ? 0 : response.body.size()));
  out.append("HTTP/1.1 ").append(std::to_string(response.status)).append(" ");
  out.append(ReasonPhrase(response.status)).append("\r\nDate: ").append(date);
  out.append("\r\nContent-Type: ").append(response.content_type);
  out.append("\r\nContent-Length: ").append(std::to_string(response.body.size()));
  for (const auto& [name, value] : response.headers)
    out.append("\r\n").append(name).append(": ").append(value);
  if (!connection.empty()) out.append("\r\nConnection: ").append(connection);
  out.append("\r\n\r\n");
  if (!head_only) out.append(response.body);
}

void Connection::Send(Response response, bool head_only) {
  request_.reset();
  Hold(0);
  state_ = State::kWriting;
  // Larger than what was reserved, and there is no room: its code is what counts.
  if (!head_only && !HoldAnswer(response.body.size())) {
    Problem problem;
    problem.status = response.status;
    problem.limit = owner_->limits.FieldOf(owner_->limits.answers_limit);
    problem.detail = "the answer's details were left out: too many answers wait to be read";
    Response brief = problem.ToResponse();
    brief.headers = std::move(response.headers);
    response = std::move(brief);
  }
  // HTTP/1.0 needs an explicit keep-alive.
  const bool kept_1_0 = parser_ && parser_->http_1_0();
  AppendAnswer(response, owner_->date.Text(owner_->loop.Wall()),
               close_after_ ? "close" : (kept_1_0 ? "keep-alive" : ""), head_only, out_);
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
  HoldAnswer(0);
  ShrinkBuffers();
  if (close_after_) return Linger();
  NextRequest();
}

void Connection::NextRequest() {
  state_ = State::kHead;
  parser_.reset();
  plan_ = Plan();
  head_scanned_ = 0;
  SetDeadline(Wait::kIdle);
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
