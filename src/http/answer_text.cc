#include "http/answer_text.h"

#include "http/problem.h"

namespace outrigger::http {

void AppendAnswer(const Response& response, const std::string& date, std::string_view connection,
                  bool head_only, std::string& out) {
  out.reserve(out.size() + 256 + (head_only ? 0 : response.body.size()));
  out.append("HTTP/1.1 ").append(std::to_string(response.status)).append(" ");
  out.append(ReasonPhrase(response.status)).append("\r\nDate: ").append(date);
  out.append("\r\nContent-Type: ").append(response.content_type);
  out.append("\r\nContent-Length: ").append(std::to_string(response.body.size()));
  for (const auto& [name, value] : response.headers)
    out.append("\r\n").append(name).append(": ").append(value);
  if (!connection.empty()) out.append("\r\nConnection: ").append(connection);
  out.append("\r\n\r\n");
  if (!head_only) out.append(response.body);
}

}  // namespace outrigger::http
