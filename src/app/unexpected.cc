#include "app/unexpected.h"

#include <execinfo.h>
#include <pthread.h>
#include <sysexits.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <exception>
#include <string>

#include "telemetry/log.h"

namespace outrigger::app {
namespace {

std::string WhatWasThrown() {
  if (!std::current_exception()) return "std::terminate was called";
  try {
    throw;
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "not a std::exception";
  }
}

[[noreturn]] void End() {
  static std::atomic_flag ending;
  // Reporting the first exception may throw, too, for example without memory.
  if (ending.test_and_set()) std::_Exit(EX_SOFTWARE);
  std::array<char, 16> thread{};
  pthread_getname_np(pthread_self(), thread.data(), thread.size());
  telemetry::Log(telemetry::Level::kError,
                 "an unexpected exception ends the process; this is a bug, and nothing that was "
                 "acknowledged is lost",
                 {{"error", WhatWasThrown()}, {"thread", thread.data()}});
  if (!telemetry::StopLog()) std::_Exit(EX_SOFTWARE);  // nobody reads standard error
  // addr2line -Cfe outrigger turns these into lines.
  std::array<void*, 64> frames{};
  backtrace_symbols_fd(frames.data(), backtrace(frames.data(), static_cast<int>(frames.size())),
                       STDERR_FILENO);
  std::_Exit(EX_SOFTWARE);
}

}  // namespace

void EndOnUnexpectedException() { std::set_terminate(End); }

}  // namespace outrigger::app
