#include "app/check.h"

#include <algorithm>

#include "app/memory.h"
#include "deliver/check.h"
#include "kafka/check.h"
#include "kafka/fetch_bounds.h"

namespace outrigger::app {

std::vector<config::Problem> CheckClients(const config::Loaded& loaded) {
  auto problems = deliver::Check(loaded.config);
  const bool readable =
      std::none_of(loaded.problems.begin(), loaded.problems.end(), [](const auto& problem) {
        return problem.severity == config::Problem::Severity::kError &&
               problem.path.starts_with("kafka");
      });
  for (auto& problem : kafka::Check(loaded.config, readable))
    problems.push_back(std::move(problem));
  const base::MemoryBudget budget = ChooseBudget(loaded.config).budget;
  const auto fetch = kafka::FetchBounds::Of(budget.fetch_of_group(), budget.total());
  if (loaded.config.kafka.enabled && !loaded.config.subscriptions.empty())
    for (auto& problem : kafka::CheckFetchProperties(fetch, loaded.config.kafka))
      problems.push_back(std::move(problem));
  return problems;
}

}  // namespace outrigger::app
