// The ops port: /metrics, /healthz, /readyz, /health/kafka, /status. Read-only, always.
//
// Thread: one of its own with a loop of its own; the sources are called there, so they must be safe
// from any thread. It reads snapshots and never calls into a flow. Lifetime: the sources outlive
// it; the destructor joins the thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/loop.h"
#include "base/result.h"
#include "telemetry/conditions.h"
#include "telemetry/metrics.h"

namespace outrigger::ops {

struct OpsSources {
  const telemetry::Metrics& metrics;
  const telemetry::Conditions& conditions;
  std::function<bool()> kafka_enabled;
  std::function<bool()> kafka_connected;
  std::function<std::string()> memory;                     // JSON, part of /status
  std::vector<std::pair<std::string, base::Loop*>> loops;  // that /healthz watches
};

class OpsServer {
 public:
  // `listen` as in ops.listen. It serves when this returns.
  static base::Result<std::unique_ptr<OpsServer>> Start(const std::string& listen,
                                                        OpsSources sources);
  ~OpsServer();

  // /healthz watches this loop as well, from now on.
  void Watch(const std::string& name, base::Loop& loop);

  uint16_t port() const;

 private:
  class Core;
  explicit OpsServer(std::unique_ptr<Core> core);
  std::unique_ptr<Core> core_;
};

}  // namespace outrigger::ops
