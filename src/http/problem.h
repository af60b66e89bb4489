// Errors as application/problem+json (RFC 9457), the one shape of every refusal.
//
// Long texts are cut (see kMaxDetail and the others), so that an answer for one event has at most
// 64 KiB.
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

  static constexpr size_t kMaxDetail = 600;
  static constexpr size_t kMaxId = 256;
  static constexpr size_t kMaxErrors = 20;
  static constexpr size_t kMaxErrorText = 200;  // of a pointer, and of a message

  // {"type":"about:blank","title":"Not Found","status":404,"detail":…}. Without the id where it is
  // said beside the problem.
  std::string Json(bool with_id = true) const;
  Response ToResponse() const;
};

// The reason phrase of a status, "Content Too Large".
std::string_view ReasonPhrase(int status);

}  // namespace outrigger::http
