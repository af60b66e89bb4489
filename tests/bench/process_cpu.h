// User plus system CPU seconds of a process, in nanoseconds where /proc/PID/stat has ticks of 10
// ms.
#pragma once

#include <sys/types.h>

#include <ctime>

namespace outrigger::bench {

// pid 0: this process. 0 when there is no such process.
inline double CpuSeconds(pid_t pid) {
  clockid_t clock;
  timespec spent{};
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &spent) != 0) return 0;
  return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) * 1e-9;
}

inline uint64_t NowNanos() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000000u + static_cast<uint64_t>(now.tv_nsec);
}

}  // namespace outrigger::bench
