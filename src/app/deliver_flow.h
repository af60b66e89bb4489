// The deliver flow on its thread: groups, and a producer for dead-letter records, joined here and
// nowhere else.
//
// Which groups there are follows what is wanted: a group that is not wanted any more is stopped in
// order, and one of the same name begins only when it has ended.
//
// Thread: built on the caller's thread; after Start everything inside runs on the flow's own. The
// other methods may be called from any thread. Lifetime: what it is given outlives it; destroying
// it stops it at once.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <thread>

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
  // Builds a consumer for each group. No thread runs yet.
  static base::Result<std::unique_ptr<DeliverFlow>> Create(const config::Config& config,
                                                           const base::MemoryBudget& budget,
                                                           const telemetry::MemoryUse& memory_use,
                                                           telemetry::Metrics& metrics,
                                                           telemetry::Conditions& conditions);
  DeliverFlow(const DeliverFlow&) = delete;
  DeliverFlow& operator=(const DeliverFlow&) = delete;
  ~DeliverFlow();

  void Start();
  // Kafka, subscriptions and bounds, each by the smallest step.
  void Apply(const config::Config& config, const base::MemoryBudget& budget);
  // Stops fetching, lets what is in flight settle, commits, leaves the groups; `budget` bounds all
  // of it. Blocks.
  void Shutdown(std::chrono::milliseconds budget);

  base::Loop& loop() { return loop_; }

 private:
  DeliverFlow(const telemetry::MemoryUse& memory_use, telemetry::Metrics& metrics,
              telemetry::Conditions& conditions);

  // A group from its creation until it has left Kafka's.
  struct Running {
    std::unique_ptr<deliver::Group> group;
    bool stopping = false;
    base::Timer give_up;  // when it takes too long to stop
  };
  // The groups of the config, each with what it is to have.
  using Wanted = std::map<std::string, deliver::GroupOptions>;

  void Want(const config::Config& config, const base::MemoryBudget& budget);
  base::Result<void> Begin(const std::string& name);
  void Follow();
  void Stop(const std::string& name, Running& running, base::Duration settle_within);
  void OnStopped(std::string group);
  void OnGone(const std::string& subscription);
  void ShowThatItCant(const std::string& group, const base::Error& error);
  void Tick();
  void ShowMemory();
  void CloseWhenStopped();

  telemetry::Metrics& metrics_;
  const telemetry::MemoryUse& memory_use_;
  telemetry::Conditions& conditions_;
  config::Kafka kafka_;
  kafka::FetchBounds fetch_;
  base::Duration drain_{};
  Wanted wanted_;
  base::Loop loop_;
  std::unique_ptr<kafka::Producer> producer_;
  std::map<std::string, Running> groups_;
  std::thread thread_;
  bool shutting_down_ = false;
  base::TimePoint stop_by_;
  base::Timer deadline_;
  uint64_t rebuilds_ = 0;
  FloodGate flood_gate_;
  base::Timer tick_;
};

}  // namespace outrigger::app
