#include "http/client_connection.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/local/stream_protocol.hpp>
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
// A Unix socket whose queue of connections is full is tried again after so long.
constexpr auto kConnectAgain = std::chrono::milliseconds(10);

}  // namespace

ClientConnection::ClientConnection(const Setup& setup, Owner& owner)
    : setup_(setup), owner_(owner), socket_(setup.loop.context()), parser_(setup.limits) {}

// ---- connecting

void ClientConnection::Open(std::unique_ptr<Work> work) {
  work_ = std::move(work);
  const Endpoint& endpoint = setup_.endpoint;
  error_code error;
  if (!endpoint.unix_path.empty()) {
    if (endpoint.unix_path.size() < sizeof(sockaddr_un::sun_path))
      candidates_.emplace_back(asio::local::stream_protocol::endpoint(endpoint.unix_path));
    else
      first_error_ = asio::error::name_too_long;
  } else if (endpoint.host == "localhost") {
    candidates_.emplace_back(
        asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), endpoint.port));
    candidates_.emplace_back(
        asio::ip::tcp::endpoint(asio::ip::address_v6::loopback(), endpoint.port));
  } else if (const auto ip = asio::ip::make_address(endpoint.host, error); !error) {
    candidates_.emplace_back(asio::ip::tcp::endpoint(ip, endpoint.port));
  } else {
    return Resolve();
  }
  if (!candidates_.empty()) return Connect();
  setup_.loop.Post([self = shared_from_this()] {
    if (!self->closed()) self->OnConnectFailed(self->first_error_);
  });
}

void ClientConnection::Resolve() {
  resolver_ = std::make_unique<asio::ip::tcp::resolver>(setup_.loop.context());
  resolver_->async_resolve(
      setup_.endpoint.host, std::to_string(setup_.endpoint.port),
      asio::ip::tcp::resolver::numeric_service,
      [self = shared_from_this()](const error_code& error,
                                  const asio::ip::tcp::resolver::results_type& results) {
        if (self->closed()) return;
        self->resolver_.reset();
        for (const auto& result : results) self->candidates_.emplace_back(result.endpoint());
        if (error || self->candidates_.empty())
          return self->OnConnectFailed(error ? error : asio::error::host_not_found);
        self->Connect();
      });
}

void ClientConnection::Connect() {
  socket_.async_connect(candidates_[candidate_],
                        [self = shared_from_this()](const error_code& error) {
                          if (!self->closed()) self->OnConnected(error);
                        });
}

ClientConnection::error_code ClientConnection::CheckConnected() {
  error_code error;
  const Protocol::endpoint remote = socket_.remote_endpoint(error);
  if (error) return error;
  // The kernel may choose the port of the app as the local port, and connect the socket to itself;
  // the app could then not bind its port.
  if (remote == socket_.local_endpoint(error)) return asio::error::connection_refused;
  return {};
}

void ClientConnection::OnConnected(error_code error) {
  if (!error) error = CheckConnected();
  error_code ignored;
  if (error) {
    socket_.close(ignored);
    // A Unix socket with a full queue answers EAGAIN, for which Asio says this. TCP would wait.
    if (error == asio::error::no_buffer_space && !setup_.endpoint.unix_path.empty()) {
      connect_again_ = setup_.loop.After(kConnectAgain, [this] { Connect(); });
      return;
    }
    if (!first_error_) first_error_ = error;
    if (++candidate_ < candidates_.size()) return Connect();
    return OnConnectFailed(first_error_);
  }
  socket_.non_blocking(true, ignored);
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  candidates_ = {};
  state_ = State::kIdle;
  Send(std::move(work_));
  reused_ = false;
  Read();
}

void ClientConnection::OnConnectFailed(const error_code& error) {
  Fail(Failure::kRefused, "can't connect to " + Name(setup_.endpoint) + ": " + error.message());
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
  if (resolver_) resolver_->cancel();
  connect_again_.Cancel();
  return std::move(work_);
}

}  // namespace outrigger::http
