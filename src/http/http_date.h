// The time as the Date header has it, made once a second. Source: RFC 9110 section 5.6.7.
#pragma once

#include <ctime>
#include <string>

#include "base/clock.h"

namespace outrigger::http {

class HttpDate {
 public:
  // "Sun, 06 Nov 1994 08:49:37 GMT".
  const std::string& Text(base::WallTime now);

 private:
  std::time_t second_ = -1;
  std::string text_;
};

}  // namespace outrigger::http
