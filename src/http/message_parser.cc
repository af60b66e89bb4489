#include "http/message_parser.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>

#include "http/target.h"

namespace outrigger::http {
namespace {

namespace beast = boost::beast;

std::string_view View(beast::string_view text) { return {text.data(), text.size()}; }

bool SameIgnoringCase(std::string_view a, std::string_view lower) {
  return a.size() == lower.size() &&
         std::equal(a.begin(), a.end(), lower.begin(), [](char x, char y) {
           return (x >= 'A' && x <= 'Z' ? x + ('a' - 'A') : x) == y;
         });
}

// reg-name, IPv4 or [IPv6], with a port; no blanks, no user (RFC 3986 section 3.2).
bool IsHost(std::string_view host) {
  return std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-._~%!$&'()*+;=:[]").find(c) != std::string_view::npos;
  });
}

bool HasControl(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
  });
}

bool HasFold(std::string_view lines) {
  return lines.find("\r\n ") != std::string_view::npos ||
         lines.find("\r\n\t") != std::string_view::npos;
}

Refusal FromBeast(const beast::error_code& error) {
  if (error == beast::http::error::bad_version)
    return {505, "only HTTP/1.0 and HTTP/1.1 are spoken here", {}};
  return {400, "malformed request: " + error.message(), {}};
}

}  // namespace

std::optional<size_t> FindHeadEnd(std::string_view bytes, size_t& from,
                                  std::optional<Refusal>& refusal) {
  while (true) {
    // A line that begins with a blank would continue the one before (obs-fold), which nobody sends
    // in good faith. Its first byte may come later than the line before it.
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

void MessageParser::Refuse(int status, std::string detail, error_code& error, std::string limit) {
  if (!refusal_) refusal_ = {status, std::move(detail), std::move(limit)};
  error = beast::http::error::bad_value;
}

std::optional<Refusal> MessageParser::ReadHead(std::string& bytes) {
  error_code error;
  put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
  in_head_ = false;
  if (refusal_) return refusal_;
  if (error) return FromBeast(error);
  if (!is_header_done()) return Refusal{400, "malformed request: the head ends early", {}};
  if (head_.chunked && head_.content_length)
    return Refusal{400, "Content-Length and Transfer-Encoding exclude each other", {}};
  if (!http_1_0_ && hosts_ != 1)
    return Refusal{400, "HTTP/1.1 asks for exactly one Host header", {}};
  body_left_ = head_.content_length.value_or(0);
  // Names in lower case, once, in place.
  for (const Field& field : head_.fields) {
    char* name = bytes.data() + (field.name.data() - bytes.data());
    std::transform(name, name + field.name.size(), name, [](char c) {
      return static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    });
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

void MessageParser::on_field_impl(beast::http::field, string_view name, string_view value,
                                  error_code& error) {
  if (in_head_) return OnHeadField(View(name), View(value), error);
  trailer_bytes_ += name.size() + value.size();
  if (trailer_bytes_ > max_trailer_)
    Refuse(431, "trailers and chunk extensions are too large", error, "maxTrailer");
}

void MessageParser::OnHeadField(std::string_view name, std::string_view value, error_code& error) {
  head_.fields.push_back({name, value});
  if (SameIgnoringCase(name, "content-length")) {
    if (head_.content_length) return Refuse(400, "Content-Length stands twice", error);
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
    if (head_.chunked) return Refuse(400, "Transfer-Encoding stands twice", error);
    if (!SameIgnoringCase(value, "chunked"))
      return Refuse(501, "the only Transfer-Encoding taken is chunked", error);
    head_.chunked = true;
  } else if (SameIgnoringCase(name, "host")) {
    if (++hosts_ > 1 || !IsHost(value))
      return Refuse(400, "there must be one Host header with a valid name", error);
  } else if (SameIgnoringCase(name, "expect") && !http_1_0_) {
    if (!SameIgnoringCase(value, "100-continue"))
      return Refuse(417, "the only Expect taken is 100-continue", error);
    expects_continue_ = true;
  } else if (SameIgnoringCase(name, "content-encoding") && !SameIgnoringCase(value, "identity")) {
    Refuse(415, "encoded bodies are not taken; send it without Content-Encoding", error);
  }
}

void MessageParser::on_header_impl(error_code&) {}

void MessageParser::on_chunk_header_impl(uint64_t, string_view extensions, error_code& error) {
  trailer_bytes_ += extensions.size();
  if (trailer_bytes_ > max_trailer_)
    return Refuse(431, "trailers and chunk extensions are too large", error, "maxTrailer");
  if (HasControl(View(extensions))) Refuse(400, "a chunk's line has a control byte", error);
}

size_t MessageParser::on_chunk_body_impl(uint64_t, string_view bytes, error_code&) {
  const size_t taken = bytes.empty() ? 0 : (*sink_)(View(bytes));
  sink_full_ = taken < bytes.size();
  return taken;
}

bool MessageParser::body_done() const { return head_.chunked ? is_done() : body_left_ == 0; }

size_t MessageParser::ReadBody(std::string_view bytes, const Sink& sink,
                               std::optional<Refusal>& refusal) {
  if (!head_.chunked) {
    const size_t part = static_cast<size_t>(std::min<uint64_t>(bytes.size(), body_left_));
    const size_t taken = part > 0 ? sink(bytes.substr(0, part)) : 0;
    body_left_ -= taken;
    return taken;
  }
  sink_ = &sink;
  sink_full_ = false;
  size_t used = 0;
  while (used < bytes.size() && !is_done() && !sink_full_) {
    // Beast 1.74 asserts that a last chunk it has seen the start of comes again with 5 bytes or
    // more
    // ("0\r\n" and then one byte would abort); no body ends in fewer.
    if (needs_more_ && bytes.size() - used < 5) break;
    error_code error;
    const size_t step =
        put(boost::asio::const_buffer(bytes.data() + used, bytes.size() - used), error);
    // The step that ends the body is its last line with all trailers.
    if (!error && is_done() && HasFold(bytes.substr(used, step)))
      Refuse(400, "a trailer's line begins with a blank (obs-fold)", error);
    used += step;
    needs_more_ = error == beast::http::error::need_more;
    if (needs_more_) break;
    if (refusal_ || error) {
      refusal = refusal_ ? *refusal_ : FromBeast(error);
      break;
    }
    if (step == 0) break;
  }
  sink_ = nullptr;
  // What waits for more is one line, or the trailers: it may not grow beyond their budget.
  if (!refusal && needs_more_ && bytes.size() - used > max_trailer_ + 64)
    refusal = {431, "trailers and chunk extensions are too large", "maxTrailer"};
  return used;
}

}  // namespace outrigger::http
