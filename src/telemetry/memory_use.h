// How much of each share of the memory budget is in use: for /status and the metrics.
//
// Thread: any; each share has one flow that sets it, about once a second. Lifetime: as the metrics
// that it is made with.
#pragma once

#include <array>
#include <mutex>
#include <string>

#include "base/memory_budget.h"
#include "telemetry/metrics.h"

namespace outrigger::telemetry {

class MemoryUse {
 public:
  MemoryUse(const base::MemoryBudget& budget, Metrics& metrics);

  // Another budget is in force. Called before a flow sets a share that had nothing until now.
  void SetBudget(const base::MemoryBudget& budget);
  void Set(base::MemoryShare share, uint64_t bytes) const;

  // {"budget":134217728,"shares":{"kafka":{"bytes":20971520,"used":0},…}}; shares of nothing are
  // left out.
  std::string Json() const;

 private:
  Metrics& metrics_;
  mutable std::mutex mutex_;  // of:
  base::MemoryBudget budget_;
  std::array<Gauge, base::kMemoryShares> used_;
};

}  // namespace outrigger::telemetry
