#include "http/client_connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <span>

#include "http/tcp_acked.h"

namespace outrigger::http {
namespace {

namespace asio = boost::asio;

constexpr size_t kReadBuffer = 16 << 10;
// A smaller body is copied behind the head: one buffer is sent faster than two.
constexpr size_t kSentWithHead = 8 << 10;
constexpr size_t kReadAtLeast = 2 << 10;

}  // namespace

ClientConnection::ClientConnection(const Setup& setup, Owner& owner)
    : setup_(setup), owner_(owner), socket_(setup.loop.context()), parser_(setup.limits) {}

// ---- connecting

void ClientConnection::Open(std::unique_ptr<Work> work) {
  work_ = std::move(work);
  attempts_ = std::make_shared<ConnectAttempts>(
      setup_.loop, setup_.endpoint,
      [this](ConnectAttempts::Connected connected) { OnConnected(std::move(connected)); });
  attempts_->Start();
}

void ClientConnection::OnConnected(ConnectAttempts::Connected connected) {
  attempts_.reset();
  if (!connected) {
    return Fail(Failure::kRefused,
                "can't connect to " + Name(setup_.endpoint) + ": " + connected.error().message());
  }
  socket_ = std::move(*connected);
  error_code ignored;
  socket_.non_blocking(true, ignored);
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  state_ = State::kIdle;
  Send(std::move(work_));
  reused_ = false;
  Read();
}

// ---- a call

bool ClientConnection::Usable() {
  char byte = 0;
  // The connection must be open and silent: an ended one would cost the retry, and a byte before
  // the request would count as its answer.
  if (state_ != State::kIdle || just_read_) return state_ == State::kIdle;
  return recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
         (errno == EAGAIN || errno == EWOULDBLOCK);
}

void ClientConnection::Send(std::unique_ptr<Work> work) {
  work_ = std::move(work);
  state_ = State::kBusy;
  reused_ = true;
  any_byte_ = false;
  earlier_ += call_size_;  // a kept connection's call went out whole
  parser_.Start(work_->call.method == "HEAD");
  BuildHead();
  Write();
}

void ClientConnection::BuildHead() {
  const Call& call = work_->call;
  out_.clear();
  out_.append(call.method).append(" ").append(call.path).append(" HTTP/1.1\r\nHost: ");
  out_.append(setup_.host).append("\r\n").append(call.headers.text());
  if (!call.body.empty() || (call.method != "GET" && call.method != "HEAD"))
    out_.append("Content-Length: ").append(std::to_string(call.body.size())).append("\r\n");
  out_.append("\r\n");
}

void ClientConnection::Write() {
  std::string_view body = work_->call.body;
  if (body.size() <= kSentWithHead) {
    out_.append(body);
    body = {};
  }
  // Most calls fit into the socket's buffer: no need to wait for the loop to say so.
  error_code error;
  const size_t wrote =
      body.empty()
          ? socket_.write_some(asio::buffer(out_), error)
          : socket_.write_some(
                std::array<asio::const_buffer, 2>{asio::buffer(out_), asio::buffer(body)}, error);
  work_->sent = work_->sent || wrote > 0;
  const size_t all = out_.size() + body.size();
  call_size_ = all;
  // An app that stopped reading may have answered before, so the read decides.
  if (wrote == all || (error && error != asio::error::would_block)) {
    writing_ = wrote != all;
    return;
  }
  // What is left is kept here, as the call may end before the write does.
  const size_t of_head = std::min(wrote, out_.size());
  out_.append(body.substr(wrote - of_head));
  out_.erase(0, of_head);
  writing_ = true;
  asio::async_write(socket_, asio::buffer(out_),
                    [self = shared_from_this()](const error_code& failed, size_t bytes) {
                      if (self->closed()) return;
                      if (self->work_ && bytes > 0) self->work_->sent = true;
                      if (!failed) self->writing_ = false;
                    });
}

// ---- the answer

void ClientConnection::Read() {
  // Only of a head or trailers is anything left from the read before, and the parser bounds those.
  const size_t old = std::min(in_.unread().size(), kReadBuffer - kReadAtLeast);
  const std::span<char> room = in_.BeginRead(kReadBuffer - old);
  socket_.async_read_some(asio::buffer(room.data(), room.size()),
                          [self = shared_from_this()](const error_code& error, size_t bytes) {
                            self->in_.EndRead(bytes);
                            if (!self->closed()) self->OnRead(bytes, error);
                          });
}

void ClientConnection::OnRead(size_t bytes, const error_code& error) {
  if (state_ == State::kIdle) {
    Close();
    return owner_.OnIdleEnded(*this);
  }
  any_byte_ = any_byte_ || bytes > 0;
  in_.Use(parser_.Read(in_.unread()));
  if (error) parser_.End();
  if (parser_.done() && parser_.wrong().empty()) return Finish();
  if (!parser_.wrong().empty()) return Fail(Failure::kProtocol, parser_.wrong());
  if (!error) return Read();
  const bool stale = reused_ && !any_byte_ && Unread(error);
  if (stale) work_->sent = false;
  Fail(Failure::kCut,
       any_byte_ ? "the connection ended inside the answer"
                 : "the connection ended before the answer",
       stale);
}

// An app that closes an idle connection ends it (not: resets it) before anything of the call comes,
// and what comes to a closed socket its kernel never acknowledges. An app that closes with bytes
// unread resets, and may have read some. A Unix socket that has taken bytes says nothing.
bool ClientConnection::Unread(const error_code& error) {
  if (!work_->sent) return true;
  const auto acked = TcpAcked(socket_.native_handle());
  return error == asio::error::eof && acked && *acked <= earlier_;
}

void ClientConnection::Finish() {
  const auto self = shared_from_this();
  // An answer before the request's end, or bytes behind the answer: not to be used again.
  const bool keep = parser_.keep_alive() && !writing_ && in_.unread().empty();
  // A read that did not fill its room has left the socket empty.
  const bool emptied = !in_.filled();
  std::unique_ptr<Work> work = std::move(work_);
  if (keep) {
    state_ = State::kIdle;
    in_.Shrink(kReadBuffer);
    if (out_.capacity() > kReadBuffer) out_ = std::string();
    Read();
  } else {
    Close();
  }
  // The callback usually sends the next call.
  just_read_ = emptied;
  struct After {
    bool& flag;
    ~After() { flag = false; }
  } const after{just_read_};
  owner_.OnFinished(*this, std::move(work), parser_.TakeAnswer(), false);
}

void ClientConnection::Fail(Failure failure, std::string message, bool stale) {
  const auto self = shared_from_this();
  std::unique_ptr<Work> work = Close();
  const bool sent = work->sent;
  owner_.OnFinished(*this, std::move(work),
                    tl::unexpected<CallError>({failure, std::move(message), sent}), stale);
}

std::unique_ptr<Work> ClientConnection::Close() {
  state_ = State::kClosed;
  error_code ignored;
  socket_.close(ignored);
  attempts_.reset();
  return std::move(work_);
}

}  // namespace outrigger::http
