// The memory budget in force: the config's, or by the container's limit.
//
// Thread: any; reads the container's limit.
#pragma once

#include "base/memory_budget.h"
#include "config/config.h"
#include "http/server.h"

namespace outrigger::app {

// Logs nothing; with `warning` a text for the log where the container is too small for the config.
struct ChosenBudget {
  base::MemoryBudget budget;
  std::string warning;
};
ChosenBudget ChooseBudget(const config::Config& config);

// http.maxBodies and http.maxAnswers, or their shares where these are less.
void BoundByBudget(const base::MemoryBudget& budget, http::Limits& limits);

}  // namespace outrigger::app
