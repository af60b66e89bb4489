// Where an app listens, and the URL that a config names it by.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace outrigger::http {

// Where an app listens: a Unix socket when `unix_path` is set, else TCP by name or IP.
struct Endpoint {
  std::string host;
  uint16_t port = 80;
  std::string unix_path;
};

struct Destination {
  Endpoint endpoint;
  std::string path;  // with its query; templates in it are the caller's
};

// "http://127.0.0.1:3000/h/x", "unix:/run/app.sock:/h/x".
base::Result<Destination> ParseDestination(std::string_view url);

// "127.0.0.1:3000", "unix:/run/app.sock", for messages.
std::string Name(const Endpoint& endpoint);
// The Host header's value: "[::1]:3000"; "localhost" for a Unix socket.
std::string HostHeader(const Endpoint& endpoint);

}  // namespace outrigger::http
