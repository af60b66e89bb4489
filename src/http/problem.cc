#include "http/problem.h"

#include <cstdio>

namespace outrigger::http {
namespace {

// The length of the well-formed UTF-8 sequence at the start of `text`, or 0 (RFC 3629).
size_t Utf8Length(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  const size_t length = lead < 0x80   ? 1
                        : lead < 0xC2 ? 0
                        : lead < 0xE0 ? 2
                        : lead < 0xF0 ? 3
                        : lead < 0xF5 ? 4
                                      : 0;
  if (length == 0 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xC0) != 0x80) return 0;
  const bool overlong = (lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xF0 && byte(1) < 0x90);
  const bool surrogate = lead == 0xED && byte(1) > 0x9F;
  const bool too_high = lead == 0xF4 && byte(1) > 0x8F;
  return overlong || surrogate || too_high ? 0 : length;
}

}  // namespace

std::string JsonString(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 2);
  out.push_back('"');
  while (!text.empty()) {
    const char c = text.front();
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
      text.remove_prefix(1);
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", c);
      out.append(escape);
      text.remove_prefix(1);
    } else if (const size_t length = Utf8Length(text); length > 0) {
      out.append(text.substr(0, length));
      text.remove_prefix(length);
    } else {
      out.append("\xEF\xBF\xBD");  // U+FFFD, as for any byte that is no text
      text.remove_prefix(1);
    }
  }
  out.push_back('"');
  return out;
}

std::string_view ReasonPhrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 202:
      return "Accepted";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 411:
      return "Length Required";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Unknown";
  }
}

std::string Problem::Json() const {
  std::string out = "{\"type\":\"about:blank\",\"title\":";
  out.append(JsonString(ReasonPhrase(status)));
  out.append(",\"status\":").append(std::to_string(status));
  const auto add = [&out](const char* name, const std::string& value) {
    if (!value.empty()) out.append(",\"").append(name).append("\":").append(JsonString(value));
  };
  add("detail", detail);
  add("id", id);
  add("outcome", outcome);
  add("limit", limit);
  if (!errors.empty()) {
    out.append(",\"errors\":[");
    for (const auto& error : errors) {
      if (&error != &errors.front()) out.push_back(',');
      out.append("{\"pointer\":").append(JsonString(error.first));
      out.append(",\"message\":").append(JsonString(error.second)).append("}");
    }
    out.push_back(']');
  }
  out.push_back('}');
  return out;
}

Response Problem::ToResponse() const {
  Response response;
  response.status = status;
  response.content_type = "application/problem+json";
  response.body = Json();
  if (retry_after > 0) response.headers.emplace_back("Retry-After", std::to_string(retry_after));
  return response;
}

}  // namespace outrigger::http
