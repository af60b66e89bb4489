#include "http/server.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <unordered_map>

#include "http/answer_text.h"
#include "http/connection.h"
#include "http/open_files.h"
#include "http/problem.h"
#include "telemetry/log.h"

namespace outrigger::http {
namespace {

namespace asio = boost::asio;
using asio::generic::stream_protocol;
using boost::system::error_code;

constexpr auto kSweep = base::AwakeTime::kAskEvery;
// The kernel buffer for answers that a client does not read (the kernel doubles it). It counts as
// memory of the container, and would otherwise grow to megabytes per connection.
constexpr int kSendBuffer = 64 << 10;
// The wait after accept failed, for example without a free descriptor; without it the loop would
// spin.
constexpr auto kAcceptAgain = std::chrono::milliseconds(100);

// One address that is listened on.
struct Listener {
  asio::basic_socket_acceptor<stream_protocol> acceptor;
  base::Timer again;
};

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

}  // namespace

class Server::Core : public std::enable_shared_from_this<Server::Core> {
 public:
  Core(base::Loop& loop, Limits limits, Handler handler)
      : owner_{loop, std::move(limits), std::move(handler), {}} {
    owner_.on_closed = [this](Connection& connection) { OnClosed(connection); };
    max_descriptor_ = MaxOpenFiles() - std::min(MaxOpenFiles(), owner_.limits.spare_files);
  }

  base::Result<uint16_t> ListenTcp(const std::string& address);
  base::Result<void> ListenUnix(const std::string& path);
  void AnnounceClose();
  void Drain(std::function<void()> on_done);
  void Stop();

  Connection::Owner owner_;
  std::unordered_map<Connection*, std::shared_ptr<Connection>> connections_;

 private:
  base::Result<Listener*> Listen(const stream_protocol::endpoint& endpoint,
                                 const std::string& where);
  void Accept(Listener& listener);
  void StopListening();
  void AcceptWaiting();
  void OnAccepted(Socket socket);
  // Whether it is one connection too many. The kernel assigns the lowest free descriptor, so a high
  // number shows how many files are open.
  bool TooMany(Socket& socket);
  // Closes the connection that has been idle for longest; false: none is.
  bool MakeRoom();
  static void TakeLowestNumber(Socket& socket);
  void RefuseConnection(Socket& socket);
  void OnClosed(Connection& connection);
  void Sweep();

  std::vector<std::unique_ptr<Listener>> listeners_;
  uint64_t max_descriptor_;
  telemetry::LogLimit accept_log_;
  std::vector<std::string> socket_files_;
  base::Timer sweep_;
  std::function<void()> on_drained_;
};

base::Result<Listener*> Server::Core::Listen(const stream_protocol::endpoint& endpoint,
                                             const std::string& where) {
  auto listener = std::unique_ptr<Listener>(
      new Listener{asio::basic_socket_acceptor<stream_protocol>(owner_.loop.context()), {}});
  auto& acceptor = listener->acceptor;
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  // What is accepted inherits it.
  if (!error) acceptor.set_option(asio::socket_base::send_buffer_size(kSendBuffer), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return base::Fail(ListenError(where, error));
  listeners_.push_back(std::move(listener));
  Accept(*listeners_.back());
  return listeners_.back().get();
}

base::Result<uint16_t> Server::Core::ListenTcp(const std::string& address) {
  const size_t colon = address.rfind(':');
  std::string host = address.substr(0, colon);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  const std::string port = colon == std::string::npos ? "" : address.substr(colon + 1);
  error_code error;
  const asio::ip::address ip =
      asio::ip::make_address(host == "localhost" ? "127.0.0.1" : host, error);
  if (error || port.empty() || port.find_first_not_of("0123456789") != std::string::npos ||
      std::stoul(port.substr(0, 6)) > 65535) {
    return base::Fail(base::Error::Invalid("can't listen on \"" + address + "\"",
                                           "an address is an IP and a port, 127.0.0.1:8800"));
  }
  const asio::ip::tcp::endpoint endpoint(ip, static_cast<uint16_t>(std::stoul(port)));
  auto listener = Listen(stream_protocol::endpoint(endpoint), address);
  if (!listener) return base::Fail(listener.error());
  const stream_protocol::endpoint bound = (*listener)->acceptor.local_endpoint(error);
  uint16_t bound_port = 0;
  if (bound.data()->sa_family == AF_INET6) {
    bound_port = ntohs(reinterpret_cast<const sockaddr_in6*>(bound.data())->sin6_port);
  } else {
    bound_port = ntohs(reinterpret_cast<const sockaddr_in*>(bound.data())->sin_port);
  }
  return bound_port;
}

base::Result<void> Server::Core::ListenUnix(const std::string& path) {
  const std::string where = "unix:" + path;
  if (path.size() >= sizeof(sockaddr_un::sun_path))
    return base::Fail(
        base::Error::Invalid(where + ": the path is longer than a socket's can be (107)"));
  const asio::local::stream_protocol::endpoint endpoint(path);
  // A socket file without a listener was left by a process that was killed.
  struct stat file {};
  if (stat(path.c_str(), &file) == 0) {
    error_code error;
    asio::local::stream_protocol::socket probe(owner_.loop.context());
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
  auto listener = Listen(stream_protocol::endpoint(endpoint), where);
  if (!listener) return base::Fail(listener.error());
  chmod(path.c_str(), 0660);
  socket_files_.push_back(path);
  return {};
}

void Server::Core::Accept(Listener& listener) {
  listener.acceptor.async_accept([weak = weak_from_this(), &listener](const error_code& error,
                                                                      Socket socket) {
    const auto self = weak.lock();
    if (!self) return;
    if (!error) self->OnAccepted(std::move(socket));  // also when the port has closed meanwhile
    if (!listener.acceptor.is_open()) return;
    if (!error) return self->Accept(listener);
    if (uint64_t held_back; self->accept_log_.Allow(self->owner_.loop.Now(), held_back)) {
      telemetry::Log(telemetry::Level::kWarn, "a connection can't be accepted; it is tried again",
                     {{"port", self->owner_.limits.prefix},
                      {"error", error.message()},
                      {"do", WhatToDo(error)},
                      {"held_back", std::to_string(held_back)}});
    }
    listener.again = self->owner_.loop.After(
        kAcceptAgain, [core = self.get(), &listener] { core->Accept(listener); });
  });
}

void Server::Core::StopListening() {
  for (const auto& listener : listeners_) {
    error_code ignored;
    listener->acceptor.close(ignored);
    listener->again.Cancel();
  }
}

// Those that have connected already may have sent their request.
void Server::Core::AcceptWaiting() {
  for (const auto& listener : listeners_) {
    error_code error;
    listener->acceptor.non_blocking(true, error);
    while (!error) {
      Socket socket(owner_.loop.context());
      listener->acceptor.accept(socket, error);
      if (!error) OnAccepted(std::move(socket));
    }
  }
}

void Server::Core::OnAccepted(Socket socket) {
  if (TooMany(socket)) {
    if (!MakeRoom()) return RefuseConnection(socket);
    TakeLowestNumber(socket);
  }
  error_code ignored;
  socket.non_blocking(true, ignored);
  socket.set_option(asio::ip::tcp::no_delay(true), ignored);
  auto connection = std::make_shared<Connection>(owner_, std::move(socket));
  connections_.emplace(connection.get(), connection);
  connection->Start();
  if (!sweep_.armed()) Sweep();
}

bool Server::Core::TooMany(Socket& socket) {
  return connections_.size() >= owner_.limits.max_connections ||
         static_cast<uint64_t>(socket.native_handle()) >= max_descriptor_;
}

// Moves the socket to the lowest free descriptor, so that a high number keeps meaning many open
// files.
void Server::Core::TakeLowestNumber(Socket& socket) {
  error_code error;
  const auto protocol = socket.local_endpoint(error).protocol();
  const int lowest = fcntl(socket.native_handle(), F_DUPFD_CLOEXEC, 0);
  if (lowest < 0) return;
  socket.close(error);
  socket.assign(protocol, lowest, error);
}

bool Server::Core::MakeRoom() {
  const base::TimePoint now = owner_.loop.AwakeNow();
  Connection* longest = nullptr;
  base::TimePoint longest_since;
  for (const auto& [connection, shared] : connections_) {
    const auto since = connection->GivesWaySince(now);
    if (!since || (longest && *since >= longest_since)) continue;
    longest = connection;
    longest_since = *since;
  }
  if (longest) longest->Close();
  return longest != nullptr;
}

// Answers instead of letting the client wait, so that it knows the reason at once.
void Server::Core::RefuseConnection(Socket& socket) {
  Problem problem;
  problem.status = 503;
  problem.limit = owner_.limits.prefix + ".maxConnections";
  problem.detail = connections_.size() >= owner_.limits.max_connections
                       ? "too many connections, and none of them is idle"
                       : "too many connections for the files that this process may have open "
                         "(ulimit -n), and none of them is idle";
  problem.outcome = "none";
  problem.retry_after = 1;
  std::string answer;
  AppendAnswer(problem.ToResponse(), owner_.date.Text(owner_.loop.Wall()), "close", false, answer);
  error_code ignored;
  socket.write_some(asio::buffer(answer), ignored);
  socket.shutdown(Socket::shutdown_send, ignored);
  if (owner_.handler.on_answered) owner_.handler.on_answered("none", 503);
}

void Server::Core::OnClosed(Connection& connection) {
  connections_.erase(&connection);
  if (connections_.empty() && on_drained_) std::exchange(on_drained_, nullptr)();
}

void Server::Core::Sweep() {
  const base::TimePoint now = owner_.loop.AwakeNow();
  std::vector<std::shared_ptr<Connection>> all;
  all.reserve(connections_.size());
  for (const auto& [key, connection] : connections_) all.push_back(connection);
  for (const auto& connection : all) connection->CheckDeadline(now);
  if (!connections_.empty()) sweep_ = owner_.loop.After(kSweep, [this] { Sweep(); });
}

void Server::Core::AnnounceClose() {
  using Phase = Connection::Owner::Phase;
  if (owner_.phase == Phase::kServing) owner_.phase = Phase::kClosing;
}

void Server::Core::Drain(std::function<void()> on_done) {
  owner_.phase = Connection::Owner::Phase::kDraining;
  AcceptWaiting();
  StopListening();
  on_drained_ = std::move(on_done);
  std::vector<std::shared_ptr<Connection>> all;
  for (const auto& [key, connection] : connections_) all.push_back(connection);
  for (const auto& connection : all) connection->Drain();
  if (connections_.empty() && on_drained_) std::exchange(on_drained_, nullptr)();
}

void Server::Core::Stop() {
  on_drained_ = nullptr;
  StopListening();
  sweep_.Cancel();
  std::vector<std::shared_ptr<Connection>> all;
  for (const auto& [key, connection] : connections_) all.push_back(connection);
  connections_.clear();
  for (const auto& connection : all) connection->Orphan();
  for (const auto& path : socket_files_) unlink(path.c_str());
}

Server::Server(base::Loop& loop, Limits limits, Handler handler)
    : core_(std::make_shared<Core>(loop, std::move(limits), std::move(handler))) {}

Server::~Server() { core_->Stop(); }

base::Result<uint16_t> Server::ListenTcp(const std::string& address) {
  return core_->ListenTcp(address);
}
base::Result<void> Server::ListenUnix(const std::string& path) { return core_->ListenUnix(path); }
void Server::SetLimits(const Limits& limits) { core_->owner_.limits = limits; }
void Server::AnnounceClose() { core_->AnnounceClose(); }
void Server::Drain(std::function<void()> on_done) { core_->Drain(std::move(on_done)); }
size_t Server::connections() const { return core_->connections_.size(); }
uint64_t Server::buffered() const { return core_->owner_.buffers.held(BufferBudget::Use::kBodies); }
uint64_t Server::answers() const { return core_->owner_.buffers.held(BufferBudget::Use::kAnswers); }
uint64_t Server::TakePeak() { return core_->owner_.buffers.TakePeak(); }

}  // namespace outrigger::http
