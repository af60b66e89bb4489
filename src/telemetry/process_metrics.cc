#include "telemetry/process_metrics.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>

namespace outrigger::telemetry {
namespace {

prometheus::MetricFamily Family(const char* name, const char* help, prometheus::MetricType type,
                                double value) {
  prometheus::MetricFamily family{name, help, type, {}};
  auto& metric = family.metric.emplace_back();
  if (type == prometheus::MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
  return family;
}

// The fields of /proc/self/stat after the command's name, whose blanks would shift them (proc(5)).
std::vector<double> StatFields() {
  std::ifstream in("/proc/self/stat");
  std::string line;
  std::getline(in, line);
  std::istringstream rest(line.substr(line.rfind(')') + 3));
  std::vector<double> fields;
  for (double value; rest >> value;) fields.push_back(value);
  return fields;
}

double OpenDescriptors() {
  DIR* folder = opendir("/proc/self/fd");
  if (!folder) return 0;
  double count = 0;
  while (readdir(folder)) ++count;
  closedir(folder);
  return count - 3;  // ".", ".." and this folder itself
}

double BootTime() {
  std::ifstream in("/proc/stat");
  for (std::string name; in >> name;) {
    double value = 0;
    if (name == "btime" && in >> value) return value;
    in.ignore(1 << 20, '\n');
  }
  return 0;
}

}  // namespace

std::vector<prometheus::MetricFamily> ProcessMetrics() {
  using Type = prometheus::MetricType;
  const std::vector<double> stat = StatFields();
  const auto field = [&stat](size_t number) {
    return number - 4 < stat.size() ? stat[number - 4] : 0;
  };
  const double ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  static const double start = BootTime() + field(22) / ticks;
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  return {
      Family("process_cpu_seconds_total", "User and system CPU time spent, in seconds.",
             Type::Counter, (field(14) + field(15)) / ticks),
      Family("process_resident_memory_bytes", "Resident memory size, in bytes.", Type::Gauge,
             field(24) * static_cast<double>(sysconf(_SC_PAGESIZE))),
      Family("process_virtual_memory_bytes", "Virtual memory size, in bytes.", Type::Gauge,
             field(23)),
      Family("process_open_fds", "Number of open file descriptors.", Type::Gauge,
             OpenDescriptors()),
      Family("process_max_fds", "Maximum number of open file descriptors.", Type::Gauge,
             static_cast<double>(limit.rlim_cur)),
      Family("process_start_time_seconds",
             "Start time of the process since the Unix epoch, in seconds.", Type::Gauge, start),
  };
}

}  // namespace outrigger::telemetry
