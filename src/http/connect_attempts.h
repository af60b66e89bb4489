// The attempts to connect to an app: looks its name up, and tries its addresses one after the
// other.
//
// "localhost" is both loopback addresses, without a lookup. A Unix socket whose queue of
// connections is full is tried again until there is room. It knows no deadline: its owner does.
//
// Thread: the loop's. Lifetime: shared, but held by its owner only, so that what is pending sees
// that it has gone; destroying it ends the attempts without a callback. Loop and endpoint outlive
// it.
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/loop.h"
#include "base/result.h"
#include "http/endpoint.h"
#include "http/socket.h"

namespace outrigger::http {

class ConnectAttempts : public std::enable_shared_from_this<ConnectAttempts> {
 public:
  // A connected socket, or why the first address could not be connected to.
  using Connected = tl::expected<Socket, boost::system::error_code>;
  // Called once, from the loop, never inside Start. It may destroy the attempts.
  using OnConnected = std::function<void(Connected)>;

  ConnectAttempts(base::Loop& loop, const Endpoint& endpoint, OnConnected on_connected);

  // Once.
  void Start();

 private:
  using error_code = boost::system::error_code;

  void Resolve();
  void Connect();
  void OnAttempt(error_code error);
  // What a connect that reported success really is.
  error_code CheckConnected();

  base::Loop& loop_;
  const Endpoint& endpoint_;
  const OnConnected on_connected_;
  Socket socket_;
  std::optional<boost::asio::ip::tcp::resolver> resolver_;  // while a name is looked up
  std::vector<Socket::endpoint_type> candidates_;           // to try one after the other
  size_t candidate_ = 0;
  error_code first_error_;
  base::Timer again_;
};

}  // namespace outrigger::http
