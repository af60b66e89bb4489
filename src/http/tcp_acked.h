// How much of what was sent the kernel of the peer has acknowledged.
//
// In a source of its own: the kernel's header and the C library's, which Asio includes, exclude
// each other.
#pragma once

#include <cstdint>
#include <optional>

namespace outrigger::http {

// The bytes that the peer of a connected TCP socket has acknowledged, also once the connection has
// ended; nothing where the socket is none of TCP or the kernel does not say.
std::optional<uint64_t> TcpAcked(int socket);

}  // namespace outrigger::http
