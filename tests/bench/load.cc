#include "load.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "process_cpu.h"

namespace outrigger::bench {
namespace {

constexpr uint64_t kSecond = 1000000000;
constexpr uint64_t kStuck = 30 * kSecond;
constexpr uint64_t kMaxDropped = 1000;
constexpr size_t kReadBuffer = 256 << 10;

int ConnectTo(const Endpoint& endpoint) {
  const bool local = !endpoint.unix_path.empty();
  const int fd = socket(local ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int result = -1;
  if (local) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (endpoint.unix_path.size() >= sizeof address.sun_path)
      throw std::runtime_error("the socket's path is too long: " + endpoint.unix_path);
    std::memcpy(address.sun_path, endpoint.unix_path.data(), endpoint.unix_path.size());
    result = connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
  } else {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(endpoint.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    result = connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  if (result != 0) {
    const std::string reason = std::strerror(errno);
    close(fd);
    throw std::runtime_error(
        "can't connect to " +
        (local ? endpoint.unix_path : "port " + std::to_string(endpoint.port)) + ": " + reason);
  }
  return fd;
}

// The `accepted` count of an NDJSON answer.
uint64_t Accepted(const std::string& body) {
  static constexpr std::string_view kName = "\"accepted\":";
  const size_t at = body.find(kName);
  return at == std::string::npos ? 0 : std::strtoull(body.c_str() + at + kName.size(), nullptr, 10);
}

}  // namespace

Load::Load(Endpoint endpoint, size_t connections, std::vector<Request> requests, pid_t server)
    : endpoint_(std::move(endpoint)),
      requests_(std::move(requests)),
      server_(server),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      buffer_(kReadBuffer) {
  for (size_t i = 0; i < connections; ++i) {
    connections_.push_back(std::make_unique<Connection>());
    Open(*connections_.back());
  }
}

Load::~Load() {
  for (const auto& connection : connections_)
    if (connection->fd >= 0) close(connection->fd);
  close(epoll_);
}

void Load::Watch(Connection& connection, bool to_write, int operation) {
  epoll_event event{};
  event.events = EPOLLIN | (to_write ? EPOLLOUT : 0u);
  event.data.ptr = &connection;
  epoll_ctl(epoll_, operation, connection.fd, &event);
  connection.waits_to_write = to_write;
}

void Load::Open(Connection& connection) {
  connection.fd = ConnectTo(endpoint_);
  Watch(connection, false, EPOLL_CTL_ADD);
}

void Load::Reopen(Connection& connection) {
  if (++measured_.dropped_connections > kMaxDropped)
    throw std::runtime_error(
        "the server closes connections with requests outstanding, again and again");
  close(connection.fd);
  connection.fd = -1;
  connection.answer.Clear();
  connection.out = {};
  --outstanding_;
  Open(connection);
  if (!ending_) Begin(connection);
}

void Load::Begin(Connection& connection) {
  connection.request = &requests_[next_request_];
  next_request_ = (next_request_ + 1) % requests_.size();
  connection.out = connection.request->head;
  connection.blocks = 0;
  connection.tail = !connection.request->streams();
  ++outstanding_;
  connection.began = NowNanos();
  Write(connection);
}

bool Load::NextPiece(Connection& connection) {
  if (connection.tail) return false;
  const bool end = block_limit_ > 0 ? connection.blocks == block_limit_ : ending_;
  if (end) {
    connection.tail = true;
    connection.out = connection.request->tail;
  } else {
    ++connection.blocks;
    connection.out = connection.request->block;
  }
  return true;
}

void Load::Write(Connection& connection) {
  // One block a turn: a fast reader on one connection must not starve the others.
  while (true) {
    const ssize_t sent = send(connection.fd, connection.out.data(), connection.out.size(),
                              MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
      if (errno == EAGAIN) break;
      return Reopen(connection);
    }
    connection.out.remove_prefix(static_cast<size_t>(sent));
    if (!connection.out.empty()) break;
    if (!NextPiece(connection)) {
      if (connection.waits_to_write) Watch(connection, false, EPOLL_CTL_MOD);
      return;
    }
    last_progress_ = NowNanos();
    if (connection.blocks > 1) break;
  }
  if (!connection.waits_to_write) Watch(connection, true, EPOLL_CTL_MOD);
}

void Load::Read(Connection& connection) {
  const ssize_t got = recv(connection.fd, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) return Reopen(connection);
  switch (connection.answer.Feed({buffer_.data(), static_cast<size_t>(got)})) {
    case AnswerReader::Step::kMore:
      return;
    case AnswerReader::Step::kDone:
      return OnAnswer(connection);
    case AnswerReader::Step::kBroken:
      throw std::runtime_error("the answer is not HTTP/1.1 with a Content-Length: " +
                               std::string(buffer_.data(), std::min<size_t>(got, 200)));
  }
}

void Load::OnAnswer(Connection& connection) {
  const uint64_t now = NowNanos();
  last_progress_ = now;
  const Request& request = *connection.request;
  const int status = connection.answer.status();
  ++measured_.requests;
  measured_.latency.Add(now - connection.began);
  if (status == 200 || status == 202) {
    measured_.events += request.streams() ? Accepted(connection.answer.body()) : request.events;
  } else {
    ++measured_.other_codes[status];
    if (measured_.first_problem.empty()) measured_.first_problem = connection.answer.body();
  }
  const bool unsent = !connection.out.empty() || !connection.tail;
  connection.answer.Clear();
  // Refused before its end: the rest of the request is not worth sending, and the server closes
  // anyhow.
  if (unsent) return Reopen(connection);
  --outstanding_;
  if (!ending_ && !request.streams()) Begin(connection);
}

// Serves what is ready; false when `until` has passed.
bool Load::Turn(uint64_t until) {
  std::array<epoll_event, 256> ready;
  const uint64_t now = NowNanos();
  if (now >= until) return false;
  if (outstanding_ > 0 && now > last_progress_ + kStuck)
    throw std::runtime_error("no answer for 30 s, " + std::to_string(outstanding_) +
                             " requests outstanding");
  const uint64_t wait = std::min<uint64_t>((until - now) / 1000000 + 1, 1000);
  const int count = epoll_wait(epoll_, ready.data(), ready.size(), static_cast<int>(wait));
  for (int i = 0; i < count; ++i) {
    auto& connection = *static_cast<Connection*>(ready[static_cast<size_t>(i)].data.ptr);
    const int fd = connection.fd;
    if (ready[static_cast<size_t>(i)].events & ~static_cast<uint32_t>(EPOLLOUT)) Read(connection);
    if (connection.fd == fd && ready[static_cast<size_t>(i)].events & EPOLLOUT &&
        connection.waits_to_write)
      Write(connection);
  }
  return true;
}

void Load::StartMeasuring() {
  measured_ = {};
  measured_.server_cpu_seconds = server_ > 0 ? CpuSeconds(server_) : 0;
  measured_.own_cpu_seconds = CpuSeconds(0);
  measuring_since_ = NowNanos();
}

Measured Load::FinishMeasuring() {
  Measured result = measured_;
  result.seconds = static_cast<double>(NowNanos() - measuring_since_) / kSecond;
  if (server_ > 0) result.server_cpu_seconds = CpuSeconds(server_) - result.server_cpu_seconds;
  result.own_cpu_seconds = CpuSeconds(0) - result.own_cpu_seconds;
  return result;
}

Measured Load::Repeat(double warm_up, double seconds) {
  ending_ = false;
  last_progress_ = NowNanos();
  for (auto& connection : connections_) Begin(*connection);
  const uint64_t warm = NowNanos() + static_cast<uint64_t>(warm_up * kSecond);
  while (Turn(warm)) {
  }
  StartMeasuring();
  const uint64_t end = measuring_since_ + static_cast<uint64_t>(seconds * kSecond);
  while (Turn(end)) {
  }
  Measured result = FinishMeasuring();
  ending_ = true;
  while (outstanding_ > 0) Turn(UINT64_MAX);
  return result;
}

Measured Load::Stream(double seconds, uint64_t events) {
  ending_ = false;
  const uint64_t per_block = requests_.front().events;
  block_limit_ = events == 0 ? 0 : std::max<uint64_t>(1, (events + per_block - 1) / per_block);
  StartMeasuring();
  last_progress_ = measuring_since_;
  for (auto& connection : connections_) Begin(*connection);
  const uint64_t end =
      events > 0 ? UINT64_MAX : measuring_since_ + static_cast<uint64_t>(seconds * kSecond);
  while (outstanding_ > 0 && Turn(end)) {
  }
  ending_ = true;
  while (outstanding_ > 0) Turn(UINT64_MAX);
  return FinishMeasuring();
}

}  // namespace outrigger::bench
