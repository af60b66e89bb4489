// The deliver flow on its thread: groups, and a producer for dead-letter records, joined here and
// nowhere else.
//
// Thread: built on the caller's thread; after Start everything inside runs on the flow's own. The
// other methods may be called from any thread. Lifetime: what it is given outlives it; destroying
// it stops it at once.
#pragma once

#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "app/allocator.h"
#include "base/loop.h"
#include "base/memory_budget.h"
#include "base/result.h"
#include "config/config.h"
#include "deliver/group.h"
#include "kafka/producer.h"
#include "telemetry/conditions.h"
#include "telemetry/memory_use.h"
#include "telemetry/metrics.h"

namespace outrigger::app {

class DeliverFlow {
 public:
  // Builds a consumer for each group. No thread runs yet. `config` outlives it.
  static base::Result<std::unique_ptr<DeliverFlow>> Create(const config::Config& config,
                                                           const base::MemoryBudget& budget,
                                                           const telemetry::MemoryUse& memory_use,
                                                           telemetry::Metrics& metrics,
                                                           telemetry::Conditions& conditions);
  DeliverFlow(const DeliverFlow&) = delete;
  DeliverFlow& operator=(const DeliverFlow&) = delete;
  ~DeliverFlow();

  void Start();
  // Stops fetching, lets what is in flight settle, commits, leaves the groups; `budget` bounds all
  // of it. Blocks.
  void Shutdown(std::chrono::milliseconds budget);

  base::Loop& loop() { return loop_; }

 private:
  DeliverFlow(const config::Config& config, const telemetry::MemoryUse& memory_use,
              telemetry::Metrics& metrics);

  void Tick();
  void ShowMemory();
  void Stopped();

  telemetry::Metrics& metrics_;
  const telemetry::MemoryUse& memory_use_;
  const config::Kafka kafka_;
  base::Loop loop_;
  std::unique_ptr<kafka::Producer> producer_;
  std::vector<std::unique_ptr<deliver::Group>> groups_;
  std::thread thread_;
  size_t stopping_ = 0;
  base::TimePoint stop_by_;
  base::Timer deadline_;
  uint64_t rebuilds_ = 0;
  FloodGate flood_gate_;
  base::Timer tick_;
};

}  // namespace outrigger::app
