#include "http/problem.h"

#include <algorithm>

#include "base/json_text.h"

namespace outrigger::http {
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

std::string Problem::Json(bool with_id) const {
  std::string out = "{\"type\":\"about:blank\",\"title\":";
  out.append(base::JsonString(ReasonPhrase(status)));
  out.append(",\"status\":").append(std::to_string(status));
  const auto add = [&out](const char* name, const std::string& value) {
    if (!value.empty())
      out.append(",\"").append(name).append("\":").append(base::JsonString(value));
  };
  add("detail", base::Excerpt(detail, kMaxDetail));
  if (with_id) add("id", base::Excerpt(id, kMaxId));
  add("outcome", outcome);
  add("limit", limit);
  if (!errors.empty()) {
    out.append(",\"errors\":[");
    for (size_t i = 0; i < std::min(errors.size(), kMaxErrors); ++i) {
      const auto& [pointer, message] = errors[i];
      if (i > 0) out.push_back(',');
      out.append("{\"pointer\":").append(base::JsonString(base::Excerpt(pointer, kMaxErrorText)));
      out.append(",\"message\":").append(base::JsonString(base::Excerpt(message, kMaxErrorText)));
      out.push_back('}');
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
