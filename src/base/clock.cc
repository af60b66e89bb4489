#include "base/clock.h"

#include <cstdio>
#include <ctime>

namespace outrigger::base {

Clock Clock::System() {
  return {[] { return std::chrono::steady_clock::now(); },
          [] { return std::chrono::system_clock::now(); }, false};
}

ManualClock::ManualClock()
    : hands_(std::make_shared<Hands>(Hands{TimePoint(std::chrono::hours(1)),
                                           WallTime(std::chrono::seconds(1'700'000'000))})) {}

Clock ManualClock::clock() const {
  return {[hands = hands_] { return hands->now; }, [hands = hands_] { return hands->wall; }, true};
}

void ManualClock::Advance(Duration by) {
  hands_->now += by;
  hands_->wall += std::chrono::duration_cast<WallTime::duration>(by);
}

std::string Rfc3339(WallTime time) {
  using std::chrono::milliseconds;
  return Rfc3339OfMillis(std::chrono::floor<milliseconds>(time.time_since_epoch()).count());
}

std::string Rfc3339OfMillis(int64_t since) {
  constexpr int64_t kYear10000 = 253'402'300'800'000;
  if (since < 0 || since >= kYear10000) return {};
  const std::time_t seconds = since / 1000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[40];
  const int length = std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
                                   utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour,
                                   utc.tm_min, utc.tm_sec, static_cast<int>(since % 1000));
  return {text, static_cast<size_t>(length)};
}

}  // namespace outrigger::base
