#include "http/listeners.h"

#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <utility>

namespace outrigger::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// The kernel buffer for answers that a client does not read (the kernel doubles it). It counts as
// memory of the container, and would otherwise grow to megabytes per connection.
constexpr int kSendBuffer = 64 << 10;
// The wait after accept failed, for example without a free descriptor; without it the loop would
// spin.
constexpr auto kAcceptAgain = std::chrono::milliseconds(100);

base::Error ListenError(const std::string& where, const error_code& error) {
  return {base::Code::kUnavailable, "can't listen on " + where + ": " + error.message(),
          error == asio::error::address_in_use ? "another process has the port" : "", false};
}

const char* WhatToDo(const error_code& error) {
  if (error == boost::system::errc::too_many_files_open)
    return "the process has reached its limit of open files: raise it (ulimit -n), or lower "
           "http.maxConnections";
  if (error == boost::system::errc::too_many_files_open_in_system)
    return "the node has reached its limit of open files: see what uses them, or raise fs.file-max";
  if (error == boost::system::errc::not_enough_memory ||
      error == boost::system::errc::no_buffer_space)
    return "the kernel has no memory for a socket: raise the memory limit, or free some";
  return "";
}

// Where the kernel has no IPv6, all addresses are those of IPv4.
asio::ip::address AllAddresses(asio::io_context& context) {
  error_code error;
  asio::ip::tcp::socket(context).open(asio::ip::tcp::v6(), error);
  if (error == boost::system::errc::address_family_not_supported)
    return asio::ip::address_v4::any();
  return asio::ip::address_v6::any();
}

}  // namespace

Listeners::Listeners(base::Loop& loop, const Limits& limits,
                     std::function<void(Socket)> on_accepted)
    : loop_(loop), limits_(limits), on_accepted_(std::move(on_accepted)) {}

Listeners::~Listeners() {
  for (const auto& path : socket_files_) unlink(path.c_str());
}

base::Result<Listeners::Listener*> Listeners::Listen(const Protocol::endpoint& endpoint,
                                                     const std::string& where) {
  auto listener = std::unique_ptr<Listener>(
      new Listener{asio::basic_socket_acceptor<Protocol>(loop_.context()), {}});
  auto& acceptor = listener->acceptor;
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  // What is accepted inherits it.
  if (!error) acceptor.set_option(asio::socket_base::send_buffer_size(kSendBuffer), error);
  // [::] takes IPv4, too, whatever net.ipv6.bindv6only says.
  if (!error && endpoint.data()->sa_family == AF_INET6)
    acceptor.set_option(asio::ip::v6_only(false), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return base::Fail(ListenError(where, error));
  listeners_.push_back(std::move(listener));
  Accept(*listeners_.back());
  return listeners_.back().get();
}

base::Result<uint16_t> Listeners::ListenTcp(const std::string& address) {
  const size_t colon = address.rfind(':');
  std::string host = address.substr(0, colon);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  const std::string port = colon == std::string::npos ? "" : address.substr(colon + 1);
  error_code error;
  asio::ip::address ip = asio::ip::make_address(host == "localhost" ? "127.0.0.1" : host, error);
  if (error || port.empty() || port.find_first_not_of("0123456789") != std::string::npos ||
      std::stoul(port.substr(0, 6)) > 65535) {
    return base::Fail(base::Error::Invalid("can't listen on \"" + address + "\"",
                                           "an address is an IP and a port, 127.0.0.1:8800"));
  }
  if (ip == asio::ip::address_v6::any()) ip = AllAddresses(loop_.context());
  const asio::ip::tcp::endpoint endpoint(ip, static_cast<uint16_t>(std::stoul(port)));
  auto listener = Listen(Protocol::endpoint(endpoint), address);
  if (!listener) return base::Fail(listener.error());
  const Protocol::endpoint bound = (*listener)->acceptor.local_endpoint(error);
  uint16_t bound_port = 0;
  if (bound.data()->sa_family == AF_INET6) {
    bound_port = ntohs(reinterpret_cast<const sockaddr_in6*>(bound.data())->sin6_port);
  } else {
    bound_port = ntohs(reinterpret_cast<const sockaddr_in*>(bound.data())->sin_port);
  }
  return bound_port;
}

base::Result<void> Listeners::ListenUnix(const std::string& path) {
  const std::string where = "unix:" + path;
  if (path.size() >= sizeof(sockaddr_un::sun_path))
    return base::Fail(
        base::Error::Invalid(where + ": the path is longer than a socket's can be (107)"));
  const asio::local::stream_protocol::endpoint endpoint(path);
  // A socket file without a listener was left by a process that was killed.
  struct stat file {};
  if (stat(path.c_str(), &file) == 0) {
    error_code error;
    asio::local::stream_protocol::socket probe(loop_.context());
    if (S_ISSOCK(file.st_mode)) probe.connect(endpoint, error);
    if (!error) {
      return base::Fail({base::Code::kConflict,
                         where + ": " +
                             (S_ISSOCK(file.st_mode) ? "another process listens there"
                                                     : "there is a file that is not a socket"),
                         "choose another http.unixSocket, or end what uses it", false});
    }
    unlink(path.c_str());
  }
  auto listener = Listen(Protocol::endpoint(endpoint), where);
  if (!listener) return base::Fail(listener.error());
  chmod(path.c_str(), 0660);
  socket_files_.push_back(path);
  return {};
}

void Listeners::Accept(Listener& listener) {
  listener.acceptor.async_accept(
      [weak = weak_from_this(), &listener](const error_code& error, Socket socket) {
        const auto self = weak.lock();
        if (!self) return;
        // Also when the port has closed meanwhile.
        if (!error) self->on_accepted_(std::move(socket));
        if (!listener.acceptor.is_open()) return;
        if (!error) return self->Accept(listener);
        self->OnFailed(listener, error);
      });
}

void Listeners::OnFailed(Listener& listener, const error_code& error) {
  if (uint64_t held_back; log_.Allow(loop_.Now(), held_back)) {
    telemetry::Log(telemetry::Level::kWarn, "a connection can't be accepted; it is tried again",
                   {{"port", limits_.prefix},
                    {"error", error.message()},
                    {"do", WhatToDo(error)},
                    {"held_back", std::to_string(held_back)}});
  }
  listener.again = loop_.After(kAcceptAgain, [this, &listener] { Accept(listener); });
}

void Listeners::AcceptWaiting() {
  for (const auto& listener : listeners_) {
    error_code error;
    listener->acceptor.non_blocking(true, error);
    while (!error) {
      Socket socket(loop_.context());
      listener->acceptor.accept(socket, error);
      if (!error) on_accepted_(std::move(socket));
    }
  }
}

void Listeners::Stop() {
  for (const auto& listener : listeners_) {
    error_code ignored;
    listener->acceptor.close(ignored);
    listener->again.Cancel();
  }
}

}  // namespace outrigger::http
