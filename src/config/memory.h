// What a config asks of the memory budget.
//
// Pure. Thread: any.
#pragma once

#include "base/memory_budget.h"
#include "config/config.h"

namespace outrigger::config {

base::MemoryDemand MemoryDemandOf(const Config& config);

// "1 group", "32 groups, 64 subscriptions and events of 4MiB": what the least budget is for.
std::string Show(const base::MemoryDemand& demand);

}  // namespace outrigger::config
