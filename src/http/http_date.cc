#include "http/http_date.h"

#include <array>
#include <cstdio>

namespace outrigger::http {

const std::string& HttpDate::Text(base::WallTime now) {
  const std::time_t second = base::WallTime::clock::to_time_t(now);
  if (second == second_) return text_;
  second_ = second;
  // English, whatever the locale.
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm utc{};
  gmtime_r(&second, &utc);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT", kDays[utc.tm_wday],
                utc.tm_mday, kMonths[utc.tm_mon], utc.tm_year + 1900, utc.tm_hour, utc.tm_min,
                utc.tm_sec);
  return text_ = text.data();
}

}  // namespace outrigger::http
