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

#include "base/loop.h"
#include "base/result.h"
#include "http/handler.h"
#include "http/limits.h"

namespace outrigger::http {

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
  std::unique_ptr<Core> core_;
};

}  // namespace outrigger::http
