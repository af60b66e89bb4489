#include "http/server.h"

#include <fcntl.h>

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <unordered_map>
#include <utility>
#include <vector>

#include "http/answer_text.h"
#include "http/connection.h"
#include "http/listeners.h"
#include "http/open_files.h"
#include "http/problem.h"

namespace outrigger::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr auto kSweep = base::AwakeTime::kAskEvery;

}  // namespace

class Server::Core {
 public:
  Core(base::Loop& loop, Limits limits, Handler handler)
      : owner_{loop, std::move(limits), std::move(handler), {}},
        listeners_(std::make_shared<Listeners>(
            loop, owner_.limits, [this](Socket socket) { OnAccepted(std::move(socket)); })) {
    owner_.on_closed = [this](Connection& connection) { OnClosed(connection); };
    max_descriptor_ = MaxOpenFiles() - std::min(MaxOpenFiles(), owner_.limits.spare_files);
  }

  Listeners& listeners() { return *listeners_; }
  void AnnounceClose();
  void Drain(std::function<void()> on_done);
  void Stop();

  Connection::Owner owner_;
  std::unordered_map<Connection*, std::shared_ptr<Connection>> connections_;

 private:
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

  const std::shared_ptr<Listeners> listeners_;
  uint64_t max_descriptor_;
  base::Timer sweep_;
  std::function<void()> on_drained_;
};

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
  listeners_->AcceptWaiting();
  listeners_->Stop();
  on_drained_ = std::move(on_done);
  std::vector<std::shared_ptr<Connection>> all;
  for (const auto& [key, connection] : connections_) all.push_back(connection);
  for (const auto& connection : all) connection->Drain();
  if (connections_.empty() && on_drained_) std::exchange(on_drained_, nullptr)();
}

void Server::Core::Stop() {
  on_drained_ = nullptr;
  listeners_->Stop();
  sweep_.Cancel();
  std::vector<std::shared_ptr<Connection>> all;
  for (const auto& [key, connection] : connections_) all.push_back(connection);
  connections_.clear();
  for (const auto& connection : all) connection->Orphan();
}

Server::Server(base::Loop& loop, Limits limits, Handler handler)
    : core_(std::make_unique<Core>(loop, std::move(limits), std::move(handler))) {}

Server::~Server() { core_->Stop(); }

base::Result<uint16_t> Server::ListenTcp(const std::string& address) {
  return core_->listeners().ListenTcp(address);
}
base::Result<void> Server::ListenUnix(const std::string& path) {
  return core_->listeners().ListenUnix(path);
}
void Server::SetLimits(const Limits& limits) { core_->owner_.limits = limits; }
void Server::AnnounceClose() { core_->AnnounceClose(); }
void Server::Drain(std::function<void()> on_done) { core_->Drain(std::move(on_done)); }
size_t Server::connections() const { return core_->connections_.size(); }
uint64_t Server::buffered() const { return core_->owner_.buffers.held(BufferBudget::Use::kBodies); }
uint64_t Server::answers() const { return core_->owner_.buffers.held(BufferBudget::Use::kAnswers); }
uint64_t Server::TakePeak() { return core_->owner_.buffers.TakePeak(); }

}  // namespace outrigger::http
