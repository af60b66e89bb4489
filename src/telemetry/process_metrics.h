// The process_* metrics that every Prometheus client has, read from /proc/self when asked.
#pragma once

#include <prometheus/metric_family.h>

#include <vector>

namespace outrigger::telemetry {

std::vector<prometheus::MetricFamily> ProcessMetrics();

}  // namespace outrigger::telemetry
