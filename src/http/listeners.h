// The addresses that a server listens on, and the sockets that connect there.
//
// Thread: the loop's. Lifetime: shared, so that a pending accept sees that it has gone; loop and
// limits outlive it. Destroying it removes the socket files.
#pragma once

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/loop.h"
#include "base/result.h"
#include "http/limits.h"
#include "http/socket.h"
#include "telemetry/log.h"

namespace outrigger::http {

class Listeners : public std::enable_shared_from_this<Listeners> {
 public:
  Listeners(base::Loop& loop, const Limits& limits, std::function<void(Socket)> on_accepted);
  Listeners(const Listeners&) = delete;
  Listeners& operator=(const Listeners&) = delete;
  ~Listeners();

  // See Server.
  base::Result<uint16_t> ListenTcp(const std::string& address);
  base::Result<void> ListenUnix(const std::string& path);

  // Accepts those that have connected already: they may have sent their request.
  void AcceptWaiting();
  // Closes the ports.
  void Stop();

 private:
  using Protocol = boost::asio::generic::stream_protocol;
  // One address that is listened on.
  struct Listener {
    boost::asio::basic_socket_acceptor<Protocol> acceptor;
    base::Timer again;
  };

  base::Result<Listener*> Listen(const Protocol::endpoint& endpoint, const std::string& where);
  void Accept(Listener& listener);
  void OnFailed(Listener& listener, const boost::system::error_code& error);

  base::Loop& loop_;
  const Limits& limits_;
  const std::function<void(Socket)> on_accepted_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::vector<std::string> socket_files_;
  telemetry::LogLimit log_;
};

}  // namespace outrigger::http
