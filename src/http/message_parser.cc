#include "http/message_parser.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>

#include "http/header_text.h"
#include "http/target.h"

namespace outrigger::http {
namespace {

namespace beast = boost::beast;

std::string_view View(beast::string_view text) { return {text.data(), text.size()}; }

// reg-name, IPv4 or [IPv6], with a port; no blanks, no user (RFC 3986 section 3.2).
bool IsHost(std::string_view host) {
  return std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-._~%!$&'()*+;=:[]").find(c) != std::string_view::npos;
  });
}

// Fields with one value: of two, a proxy may have used the other one.
constexpr std::string_view kSingle[] = {"content-type", "authorization", "idempotency-key"};

Refusal FromBeast(const beast::error_code& error) {
  if (error == beast::http::error::bad_version)
    return {505, "only HTTP/1.0 and HTTP/1.1 are supported", {}};
  return {400, "malformed request: " + error.message(), {}};
}

}  // namespace

std::optional<size_t> FindHeadEnd(std::string_view bytes, size_t& from,
                                  std::optional<Refusal>& refusal) {
  while (true) {
    // A line that begins with a blank would continue the one before (obs-fold), which no
    // honest client sends. Its first byte may arrive later than the line before it.
    if (from > 0 && from < bytes.size() && bytes[from - 1] == '\n' &&
        (bytes[from] == ' ' || bytes[from] == '\t')) {
      refusal = {400, "a header line begins with a blank (obs-fold)", {}};
      return std::nullopt;
    }
    const size_t newline = bytes.find('\n', from);
    if (newline == std::string_view::npos) {
      from = bytes.size();
      return std::nullopt;
    }
    if (newline == 0 || bytes[newline - 1] != '\r') {
      refusal = {400, "a line of the head ends in LF alone; lines end in CR LF", {}};
      return std::nullopt;
    }
    from = newline + 1;
    if (newline >= 3 && bytes[newline - 2] == '\n') return from;
  }
}

void MessageParser::Refuse(int status, std::string detail, error_code& error) {
  if (!refusal_) refusal_ = {status, std::move(detail), {}};
  error = beast::http::error::bad_value;
}

std::optional<Refusal> MessageParser::ReadHead(std::string& bytes) {
  error_code error;
  put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
  if (refusal_) return refusal_;
  if (error) return FromBeast(error);
  if (!is_header_done()) return Refusal{400, "malformed request: the head ends early", {}};
  if (head_.chunked && head_.content_length)
    return Refusal{400, "Content-Length and Transfer-Encoding exclude each other", {}};
  if (!http_1_0_ && hosts_ != 1)
    return Refusal{400, "HTTP/1.1 requires exactly one Host header", {}};
  body_left_ = head_.content_length.value_or(0);
  // Names in lower case, once, in place.
  for (const Field& field : head_.fields) {
    char* name = bytes.data() + (field.name.data() - bytes.data());
    std::transform(name, name + field.name.size(), name,
                   [](char c) { return base::LowerAscii(c); });
  }
  return std::nullopt;
}

void MessageParser::on_request_impl(beast::http::verb, string_view method, string_view target,
                                    int version, error_code& error) {
  head_.method = std::string(View(method));
  http_1_0_ = version == 10;
  if (const std::string wrong = ReadTarget(View(target), head_); !wrong.empty())
    Refuse(400, wrong, error);
}

void MessageParser::on_field_impl(beast::http::field, string_view beast_name,
                                  string_view beast_value, error_code& error) {
  const std::string_view name = View(beast_name), value = View(beast_value);
  CheckSingle(name, error);
  head_.fields.push_back({name, value});
  if (SameIgnoringCase(name, "content-length")) {
    if (head_.content_length) return Refuse(400, "Content-Length appears twice", error);
    uint64_t length = 0;
    for (const char c : value) {
      if (c < '0' || c > '9' || length > (uint64_t{1} << 59))
        return Refuse(400, "Content-Length is not a number of bytes", error);
      length = length * 10 + static_cast<uint64_t>(c - '0');
    }
    if (value.empty()) return Refuse(400, "Content-Length is empty", error);
    head_.content_length = length;
  } else if (SameIgnoringCase(name, "transfer-encoding")) {
    if (http_1_0_) return Refuse(400, "HTTP/1.0 has no Transfer-Encoding", error);
    if (head_.chunked) return Refuse(400, "Transfer-Encoding is there twice", error);
    if (!SameIgnoringCase(value, "chunked"))
      return Refuse(501, "the only supported Transfer-Encoding is chunked", error);
    head_.chunked = true;
  } else if (SameIgnoringCase(name, "host")) {
    if (++hosts_ > 1 || !IsHost(value))
      return Refuse(400, "there must be one Host header with a valid name", error);
  } else if (SameIgnoringCase(name, "expect") && !http_1_0_) {
    if (!SameIgnoringCase(value, "100-continue"))
      return Refuse(417, "the only supported Expect is 100-continue", error);
    expects_continue_ = true;
  } else if (SameIgnoringCase(name, "content-encoding") && !SameIgnoringCase(value, "identity")) {
    Refuse(415, "encoded bodies are not supported; send it without Content-Encoding", error);
  }
}

void MessageParser::CheckSingle(std::string_view name, error_code& error) {
  for (const std::string_view single : kSingle) {
    if (!SameIgnoringCase(name, single)) continue;
    for (const Field& field : head_.fields)
      if (SameIgnoringCase(field.name, single))
        return Refuse(400, "there are two " + std::string(single) + " headers", error);
  }
}

size_t MessageParser::ReadBody(std::string_view bytes, const Sink& sink,
                               std::optional<Refusal>& refusal) {
  if (head_.chunked) {
    const size_t used = chunks_.Read(bytes, sink);
    if (chunks_.too_large())
      refusal = {431, chunks_.wrong(), "maxTrailer"};
    else if (!chunks_.wrong().empty())
      refusal = {400, "malformed request: " + chunks_.wrong(), {}};
    return used;
  }
  const size_t part = static_cast<size_t>(std::min<uint64_t>(bytes.size(), body_left_));
  const size_t taken = part > 0 ? sink(bytes.substr(0, part)) : 0;
  body_left_ -= taken;
  return taken;
}

}  // namespace outrigger::http
