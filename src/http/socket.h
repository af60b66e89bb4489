// A connected socket, over TCP or a Unix socket.
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>

namespace outrigger::http {

using Socket = boost::asio::generic::stream_protocol::socket;

}  // namespace outrigger::http
