// Logs: one JSON object a line on standard error, written by a thread of its own.
//
// {"time":"2026-11-23T20:15:30.123Z","level":"warn","message":"…","topic":"…"}. Never one line an
// event at info: repeated messages go through a LogLimit. Thread: any. A full queue drops the
// oldest lines, never blocks a flow.
#pragma once

#include <atomic>
#include <initializer_list>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace outrigger::telemetry {

enum class Level { kDebug, kInfo, kWarn, kError };

struct LogField {
  std::string_view name;
  std::string value;
};

// Before the first line; level and format may be set again (reload). `format`: json or text.
void StartLog(std::string_view level, std::string_view format);
// Writes what is queued and ends the thread; later lines are written at once. False: nobody reads
// the log, and `at_most` was over before all of it was written.
bool StopLog(std::chrono::milliseconds at_most = std::chrono::seconds(1));

// Lines that were dropped since the start, because nobody read the log in time.
uint64_t DroppedLogLines();

bool LogEnabled(Level level);
void Log(Level level, std::string_view message, std::initializer_list<LogField> fields = {});

// At most one line in `interval`; Allow returns how many were suppressed since the last one.
class LogLimit {
 public:
  explicit LogLimit(base::Duration interval = std::chrono::seconds(10)) : interval_(interval) {}

  // True: log now; `held_back` gets the number of calls that were refused since.
  bool Allow(base::TimePoint now, uint64_t& held_back);

 private:
  base::Duration interval_;
  std::atomic<int64_t> next_{0};
  std::atomic<uint64_t> held_back_{0};
};

}  // namespace outrigger::telemetry
