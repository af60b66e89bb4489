#include "http/endpoint.h"

#include <sys/un.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>

namespace outrigger::http {
namespace {

bool HasNoPlace(std::string_view url) {
  return std::any_of(url.begin(), url.end(),
                     [](char c) { return c <= 0x20 || c >= 0x7f || c == '#'; });
}

bool IsHostByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == '_';
}

base::Failure BadUrl(std::string_view url, const std::string& why) {
  return base::Fail(
      base::Error::Invalid("\"" + std::string(url) + "\": " + why,
                           "write http://127.0.0.1:3000/path or unix:/run/app.sock:/path"));
}

base::Result<Destination> ParseUnix(std::string_view url) {
  const std::string_view rest = url.substr(std::string_view("unix:").size());
  const size_t colon = rest.find(":/");
  Destination destination;
  destination.endpoint.unix_path = std::string(rest.substr(0, colon));
  destination.path = colon == std::string_view::npos ? "/" : std::string(rest.substr(colon + 1));
  const std::string& path = destination.endpoint.unix_path;
  if (path.size() < 2 || path[0] != '/') return BadUrl(url, "the socket's path begins with /");
  if (path.find(':') != std::string::npos) return BadUrl(url, "after the second : comes a path");
  if (path.size() >= sizeof(sockaddr_un::sun_path))
    return BadUrl(url, "the socket's path is longer than one can be (107)");
  return destination;
}

base::Result<Destination> ParseHttp(std::string_view url) {
  const std::string_view rest = url.substr(std::string_view("http://").size());
  const size_t slash = std::min(rest.find_first_of("/?"), rest.size());
  std::string_view authority = rest.substr(0, slash);
  Destination destination;
  destination.path = std::string(rest.substr(slash));
  if (destination.path.empty() || destination.path[0] != '/') destination.path.insert(0, "/");
  if (authority.find('@') != std::string_view::npos)
    return BadUrl(url, "it can't have a user and a password");
  std::string& host = destination.endpoint.host;
  boost::system::error_code error;
  if (!authority.empty() && authority[0] == '[') {
    const size_t end = authority.find(']');
    if (end == std::string_view::npos) return BadUrl(url, "a ] is missing");
    host = std::string(authority.substr(1, end - 1));
    boost::asio::ip::make_address_v6(host, error);
    if (error) return BadUrl(url, "what is in [ ] is not an IPv6 address");
    authority.remove_prefix(end + 1);
  } else {
    const size_t colon = std::min(authority.find(':'), authority.size());
    host = std::string(authority.substr(0, colon));
    authority.remove_prefix(colon);
    if (!std::all_of(host.begin(), host.end(), IsHostByte)) return BadUrl(url, "no such host");
  }
  if (host.empty()) return BadUrl(url, "the host is missing");
  if (authority.empty()) return destination;
  const std::string_view port = authority.substr(1);
  const bool digits =
      std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; });
  const unsigned long number =
      digits && !port.empty() && port.size() <= 5 ? std::stoul(std::string(port)) : 0;
  if (authority[0] != ':' || number < 1 || number > 65535)
    return BadUrl(url, "a port is a number from 1 to 65535");
  destination.endpoint.port = static_cast<uint16_t>(number);
  return destination;
}

}  // namespace

base::Result<Destination> ParseDestination(std::string_view url) {
  if (HasNoPlace(url))
    return BadUrl(url, "it can't have blanks, control bytes, # or characters other than ASCII");
  if (url.substr(0, 5) == "unix:") return ParseUnix(url);
  if (url.substr(0, 7) == "http://") return ParseHttp(url);
  if (url.substr(0, 8) == "https://")
    return BadUrl(url, "https is not supported: the app is on the same machine");
  return BadUrl(url, "it begins with neither http:// nor unix:");
}

std::string Name(const Endpoint& endpoint) {
  if (!endpoint.unix_path.empty()) return "unix:" + endpoint.unix_path;
  return endpoint.host + ":" + std::to_string(endpoint.port);
}

std::string HostHeader(const Endpoint& endpoint) {
  if (!endpoint.unix_path.empty()) return "localhost";
  const bool v6 = endpoint.host.find(':') != std::string::npos;
  std::string host = v6 ? "[" + endpoint.host + "]" : endpoint.host;
  if (endpoint.port != 80) host += ":" + std::to_string(endpoint.port);
  return host;
}

}  // namespace outrigger::http
