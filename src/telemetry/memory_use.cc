#include "telemetry/memory_use.h"

namespace outrigger::telemetry {

using base::MemoryShare;

MemoryUse::MemoryUse(const base::MemoryBudget& budget, Metrics& metrics) : budget_(budget) {
  metrics.MemoryBudget().Set(static_cast<double>(budget.total()));
  for (size_t i = 0; i < used_.size(); ++i) {
    const auto share = static_cast<MemoryShare>(i);
    if (budget.of(share) == 0) continue;
    metrics.MemoryShare(base::NameOf(share)).Set(static_cast<double>(budget.of(share)));
    used_[i] = metrics.MemoryUsed(base::NameOf(share));
    used_[i].Set(0);
  }
}

void MemoryUse::Set(MemoryShare share, uint64_t bytes) const {
  used_[static_cast<size_t>(share)].Set(static_cast<double>(bytes));
}

std::string MemoryUse::Json() const {
  std::string shares;
  for (size_t i = 0; i < used_.size(); ++i) {
    const auto share = static_cast<MemoryShare>(i);
    if (budget_.of(share) == 0) continue;
    shares += shares.empty() ? "" : ",";
    shares += "\"" + std::string(base::NameOf(share)) +
              "\":{\"bytes\":" + std::to_string(budget_.of(share)) +
              ",\"used\":" + std::to_string(static_cast<uint64_t>(used_[i].value())) + "}";
  }
  return "{\"budget\":" + std::to_string(budget_.total()) + ",\"shares\":{" + shares + "}}";
}

}  // namespace outrigger::telemetry
