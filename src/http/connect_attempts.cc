#include "http/connect_attempts.h"

#include <sys/un.h>

#include <boost/asio/local/stream_protocol.hpp>
#include <string>
#include <utility>

namespace outrigger::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

// A Unix socket whose queue of connections is full is tried again after so long.
constexpr auto kConnectAgain = std::chrono::milliseconds(10);

}  // namespace

ConnectAttempts::ConnectAttempts(base::Loop& loop, const Endpoint& endpoint,
                                 OnConnected on_connected)
    : loop_(loop),
      endpoint_(endpoint),
      on_connected_(std::move(on_connected)),
      socket_(loop.context()) {}

void ConnectAttempts::Start() {
  error_code error;
  if (!endpoint_.unix_path.empty()) {
    if (endpoint_.unix_path.size() < sizeof(sockaddr_un::sun_path))
      candidates_.emplace_back(asio::local::stream_protocol::endpoint(endpoint_.unix_path));
    else
      first_error_ = asio::error::name_too_long;
  } else if (endpoint_.host == "localhost") {
    candidates_.emplace_back(tcp::endpoint(asio::ip::address_v4::loopback(), endpoint_.port));
    candidates_.emplace_back(tcp::endpoint(asio::ip::address_v6::loopback(), endpoint_.port));
  } else if (const auto ip = asio::ip::make_address(endpoint_.host, error); !error) {
    candidates_.emplace_back(tcp::endpoint(ip, endpoint_.port));
  } else {
    return Resolve();
  }
  if (!candidates_.empty()) return Connect();
  loop_.Post([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->on_connected_(tl::unexpected(self->first_error_));
  });
}

void ConnectAttempts::Resolve() {
  resolver_.emplace(loop_.context());
  resolver_->async_resolve(
      endpoint_.host, std::to_string(endpoint_.port), tcp::resolver::numeric_service,
      [weak = weak_from_this()](error_code error, const tcp::resolver::results_type& results) {
        const auto self = weak.lock();
        if (!self) return;
        self->resolver_.reset();
        for (const auto& result : results) self->candidates_.emplace_back(result.endpoint());
        if (!error && self->candidates_.empty()) error = asio::error::host_not_found;
        if (error) return self->on_connected_(tl::unexpected(error));
        self->Connect();
      });
}

void ConnectAttempts::Connect() {
  socket_.async_connect(candidates_[candidate_],
                        [weak = weak_from_this()](const error_code& error) {
                          if (const auto self = weak.lock()) self->OnAttempt(error);
                        });
}

void ConnectAttempts::OnAttempt(error_code error) {
  if (!error) error = CheckConnected();
  if (!error) return on_connected_(std::move(socket_));
  error_code ignored;
  socket_.close(ignored);
  // A Unix socket with a full queue answers EAGAIN, for which Asio says this. TCP would wait.
  if (error == asio::error::no_buffer_space && !endpoint_.unix_path.empty()) {
    again_ = loop_.After(kConnectAgain, [this] { Connect(); });
    return;
  }
  if (!first_error_) first_error_ = error;
  if (++candidate_ < candidates_.size()) return Connect();
  on_connected_(tl::unexpected(first_error_));
}

ConnectAttempts::error_code ConnectAttempts::CheckConnected() {
  error_code error;
  const Socket::endpoint_type remote = socket_.remote_endpoint(error);
  if (error) return error;
  // The kernel may choose the port of the app as the local port, and connect the socket to itself;
  // the app could then not bind its port.
  if (remote == socket_.local_endpoint(error)) return asio::error::connection_refused;
  return {};
}

}  // namespace outrigger::http
