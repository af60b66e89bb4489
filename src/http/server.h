// An HTTP/1.1 server on a loop: keep-alive, pipelining, 100-continue, HEAD, chunked bodies, TCP and
// Unix sockets.
//
// Strict where a lenient reading could be abused (RFC 9112): one Host, one length, no obs-fold, no
// bare LF. One budget bounds header, body, trailers, connections and time; each refusal names the
// limit's config field. Requests of one connection are handled one after the other, so answers are
// in order, and nothing more is read of a connection while its answer waits to be read. Where
// connections are too many, an idle one is closed for a new one.
//
// Thread: the loop's. Lifetime: the Loop outlives it; destroying it closes all connections.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/loop.h"
#include "base/result.h"
#include "http/problem.h"
#include "http/request.h"

namespace outrigger::http {

struct Limits {
  uint64_t max_header = 16 << 10;
  uint64_t max_body = 1 << 20;
  // Of all bodies together, beyond the first 16 KiB of each, so that a small body always has room.
  uint64_t max_bodies = 64 << 20;
  // Of all answers together that are being made or wait for their clients to read them, beyond the
  // first 16 KiB of each.
  uint64_t max_answers = 32 << 20;
  // The fields that refusals name for these two: `prefix` goes before a name without a dot.
  std::string bodies_limit = "maxBodies";
  std::string answers_limit = "maxAnswers";
  uint64_t max_trailer = 8 << 10;  // trailers and chunk extensions together
  uint32_t max_connections = 1024;
  std::chrono::milliseconds head_timeout{5000};
  std::chrono::milliseconds body_timeout{10000};
  std::chrono::milliseconds idle_timeout{60000};
  // The descriptors of the process that are left for others: a connection that would use one of
  // them is one too many.
  uint64_t spare_files = 0;
  std::string prefix = "http";  // of the config fields that refusals name: http.maxBody

  std::string FieldOf(const std::string& limit) const {
    return limit.find('.') == std::string::npos ? prefix + "." + limit : limit;
  }
};

// How the body of a request is read; decided when its head has been read.
struct Plan {
  std::optional<Response> refuse;  // answered at once; the body is not read
  uint64_t max_body = 0;           // 0: Limits::max_body
  bool timeout_restarts = false;   // body_timeout counts from the last progress, not from the head
  // Set: the body is streamed here and never held whole; max_body then does not apply. Returns how
  // much of `chunk` was taken: less than all only after Pause, and the rest comes again after
  // Resume.
  std::function<size_t(std::string_view chunk)> on_chunk;
  // Streamed bodies: the connection ended before the body did. No on_request follows.
  std::function<void()> on_abort;
};

struct Handler {
  std::function<Plan(const std::shared_ptr<Request>&)> on_head;
  // The body is complete (in body(), or streamed). Answer now or later.
  std::function<void(const std::shared_ptr<Request>&)> on_request;
  // The server itself refuses the request and answers `problem`: its body is too large, too slow or
  // malformed. No on_request follows. May be unset.
  std::function<void(const Request&, const Problem& problem)> on_refused = {};
  // After each answer was handed to the socket, for metrics; also for refusals of the server's own.
  std::function<void(std::string_view endpoint, int status)> on_answered;
};

class Server {
 public:
  Server(base::Loop& loop, Limits limits, Handler handler);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();

  // "127.0.0.1:8800", "[::1]:0"; port 0 takes a free one. Returns the port.
  base::Result<uint16_t> ListenTcp(const std::string& address);
  // The socket file of a process that has ended is replaced; one in use is an error. Mode 0660.
  base::Result<void> ListenUnix(const std::string& path);

  // In force from the next request on.
  void SetLimits(const Limits& limits);

  // From here on each answer is its connection's last and says so; connections are still accepted.
  void AnnounceClose();
  // Accepts connections that are pending, and then none. What was received is answered; a
  // connection that has been idle for a second, or becomes so, closes. `on_done` when none is left.
  void Drain(std::function<void()> on_done);

  size_t connections() const;
  // The memory that the bodies use of max_bodies, and the answers of max_answers.
  uint64_t buffered() const;
  uint64_t answers() const;
  // The peak of both together since the last call.
  uint64_t TakePeak();

 private:
  class Core;
  std::shared_ptr<Core> core_;
};

}  // namespace outrigger::http
