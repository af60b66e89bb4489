#include "telemetry/memory_use.h"

namespace outrigger::telemetry {

using base::MemoryShare;

MemoryUse::MemoryUse(const base::MemoryBudget& budget, Metrics& metrics)
    : metrics_(metrics), budget_(budget) {
  SetBudget(budget);
}

void MemoryUse::SetBudget(const base::MemoryBudget& budget) {
  metrics_.MemoryBudget().Set(static_cast<double>(budget.total()));
  for (size_t i = 0; i < used_.size(); ++i) {
    const auto share = static_cast<MemoryShare>(i);
    const bool shown = used_[i].get() != nullptr;
    if (budget.of(share) == 0 && !shown) continue;
    metrics_.MemoryShare(base::NameOf(share)).Set(static_cast<double>(budget.of(share)));
    if (shown) continue;
    used_[i] = metrics_.MemoryUsed(base::NameOf(share));
    used_[i].Set(0);
  }
  const std::lock_guard lock(mutex_);
  budget_ = budget;
}

void MemoryUse::Set(MemoryShare share, uint64_t bytes) const {
  used_[static_cast<size_t>(share)].Set(static_cast<double>(bytes));
}

std::string MemoryUse::Json() const {
  const std::lock_guard lock(mutex_);
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
