#include "app/memory.h"

#include <algorithm>

#include "base/container_memory.h"
#include "config/memory.h"
#include "config/values.h"

namespace outrigger::app {

using base::MemoryBudget;
using base::MemoryShare;

ChosenBudget ChooseBudget(const config::Config& config) {
  const base::MemoryDemand demand = config::MemoryDemandOf(config);
  if (config.memory_budget) return {MemoryBudget(*config.memory_budget, demand), {}};
  const auto limit = base::ContainerMemoryLimit();
  ChosenBudget chosen{MemoryBudget::ForContainer(limit, demand), {}};
  const uint64_t least = MemoryBudget::Least(demand);
  if (limit && *limit / 2 < least)
    chosen.warning = "the container's memory limit of " + std::to_string(*limit) +
                     " bytes is small for " + config::Show(demand) + ": raise it to " +
                     config::ShowSize(2 * least);
  return chosen;
}

void BoundByBudget(const MemoryBudget& budget, http::Limits& limits) {
  const auto bound = [&budget](MemoryShare share, uint64_t& most, std::string& field) {
    if (budget.of(share) >= most) return;
    most = budget.of(share);
    field = "memory.budget";
  };
  bound(MemoryShare::kBodies, limits.max_bodies, limits.bodies_limit);
  bound(MemoryShare::kAnswers, limits.max_answers, limits.answers_limit);
}

}  // namespace outrigger::app
