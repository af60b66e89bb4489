#include "telemetry/log.h"

#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <unistd.h>

#include <future>
#include <memory>
#include <mutex>
#include <thread>

#include "base/json_text.h"

namespace outrigger::telemetry {
namespace {

// Lines that wait for the thread of the log; the oldest are dropped. Small, since spdlog allocates
// the memory at once.
constexpr size_t kQueue = 512;

struct State {
  std::mutex mutex;
  std::shared_ptr<spdlog::details::thread_pool> pool;
  std::shared_ptr<spdlog::logger> logger;
  std::atomic<int> level{static_cast<int>(Level::kInfo)};
  std::atomic<bool> json{true};
};

State& TheLog() {
  static State state;
  return state;
}

const char* Name(Level level) {
  switch (level) {
    case Level::kDebug:
      return "debug";
    case Level::kInfo:
      return "info";
    case Level::kWarn:
      return "warn";
    case Level::kError:
      break;
  }
  return "error";
}

Level FromName(std::string_view name) {
  for (const Level level : {Level::kDebug, Level::kInfo, Level::kWarn})
    if (name == Name(level)) return level;
  return Level::kError;
}

std::string Line(Level level, std::string_view message, std::initializer_list<LogField> fields) {
  const std::string time = base::Rfc3339(std::chrono::system_clock::now());
  std::string line;
  if (TheLog().json) {
    line = "{\"time\":\"" + time + "\",\"level\":\"" + Name(level) +
           "\",\"message\":" + base::JsonString(message);
    for (const auto& [name, value] : fields)
      if (!value.empty()) line += "," + base::JsonString(name) + ":" + base::JsonString(value);
    return line + "}";
  }
  line = time + " " + Name(level) + " " + std::string(message);
  for (const auto& [name, value] : fields)
    if (!value.empty()) line += "  " + std::string(name) + "=" + value;
  return line;
}

}  // namespace

void StartLog(std::string_view level, std::string_view format) {
  State& state = TheLog();
  state.level = static_cast<int>(FromName(level));
  state.json = format != "text";
  std::lock_guard lock(state.mutex);
  if (state.logger) return;
  state.pool = std::make_shared<spdlog::details::thread_pool>(kQueue, 1);
  state.logger = std::make_shared<spdlog::async_logger>(
      "outrigger", std::make_shared<spdlog::sinks::stderr_sink_mt>(), state.pool,
      spdlog::async_overflow_policy::overrun_oldest);
  state.logger->set_pattern("%v");
  state.logger->flush_on(spdlog::level::info);
}

bool StopLog(std::chrono::milliseconds at_most) {
  State& state = TheLog();
  std::shared_ptr<spdlog::details::thread_pool> pool;
  {
    std::lock_guard lock(state.mutex);
    state.logger.reset();
    pool = std::move(state.pool);
  }
  // Destroying the pool joins its thread, which first writes what waits, and blocks forever on a
  // full pipe that nobody reads.
  std::promise<void> ended;
  auto end = ended.get_future();
  std::thread([pool = std::move(pool), ended = std::move(ended)]() mutable {
    pool.reset();
    ended.set_value();
  }).detach();
  return end.wait_for(at_most) == std::future_status::ready;
}

uint64_t DroppedLogLines() {
  State& state = TheLog();
  std::lock_guard lock(state.mutex);
  return state.pool ? state.pool->overrun_counter() : 0;
}

bool LogEnabled(Level level) {
  return static_cast<int>(level) >= TheLog().level.load(std::memory_order_relaxed);
}

void Log(Level level, std::string_view message, std::initializer_list<LogField> fields) {
  if (!LogEnabled(level)) return;
  State& state = TheLog();
  const std::string line = Line(level, message, fields);
  std::shared_ptr<spdlog::logger> logger;
  {
    std::lock_guard lock(state.mutex);
    logger = state.logger;
  }
  if (logger) return logger->info(line);
  const std::string direct = line + "\n";
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, direct.data(), direct.size());
}

bool LogLimit::Allow(base::TimePoint now, uint64_t& held_back) {
  const int64_t at = now.time_since_epoch().count();
  int64_t next = next_.load();
  if (at < next || !next_.compare_exchange_strong(next, at + interval_.count())) {
    held_back_.fetch_add(1);
    return false;
  }
  held_back = held_back_.exchange(0);
  return true;
}

}  // namespace outrigger::telemetry
