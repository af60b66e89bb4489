#include "base/clock.h"

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
  using namespace std::chrono;
  const sys_time<milliseconds> time{milliseconds(since)};
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  std::string text = "0000-00-00T00:00:00.000Z";
  // Called for each event, for which printf is slow.
  const auto put = [&text](size_t last, unsigned number) {
    for (; number > 0; number /= 10) text[last--] = static_cast<char>('0' + number % 10);
  };
  put(3, static_cast<unsigned>(static_cast<int>(date.year())));
  put(6, static_cast<unsigned>(date.month()));
  put(9, static_cast<unsigned>(date.day()));
  put(12, static_cast<unsigned>(clock.hours().count()));
  put(15, static_cast<unsigned>(clock.minutes().count()));
  put(18, static_cast<unsigned>(clock.seconds().count()));
  put(22, static_cast<unsigned>(clock.subseconds().count()));
  return text;
}

}  // namespace outrigger::base
