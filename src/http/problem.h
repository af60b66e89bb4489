// Errors as application/problem+json (RFC 9457), the one shape of every refusal.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/request.h"

namespace outrigger::http {

struct Problem {
  int status = 500;
  std::string detail;                                       // what happened and what to do
  std::string id;                                           // the event's id, when known
  std::vector<std::pair<std::string, std::string>> errors;  // pointer, message (422)
  std::string outcome;                                      // none, unknown (503)
  std::string limit;                                        // the config field that was hit
  int retry_after = 0;                                      // seconds; 0: no Retry-After

  // {"type":"about:blank","title":"Not Found","status":404,"detail":…}
  std::string Json() const;
  Response ToResponse() const;
};

// The reason phrase of a status, "Content Too Large".
std::string_view ReasonPhrase(int status);

}  // namespace outrigger::http
