#include "app/check.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "app/memory.h"
#include "deliver/check.h"
#include "kafka/check.h"
#include "kafka/fetch_bounds.h"

namespace outrigger::app {
namespace {

namespace fs = std::filesystem;

// The path, or of what is not there yet the folder that it would be made in.
fs::path FirstThatIsThere(fs::path path) {
  std::error_code none;
  while (!fs::exists(path, none) && path.has_relative_path()) path = path.parent_path();
  return path;
}

}  // namespace

std::optional<config::Problem> CheckSpoolPath(const config::Config& config) {
  if (!config.kafka.enabled || !config.spool.enabled()) return std::nullopt;
  const fs::path there = FirstThatIsThere(config.spool.path);
  std::error_code none;
  std::string wrong;
  if (!fs::is_directory(there, none)) {
    wrong = there.string() + " is not a folder";
  } else if (access(there.c_str(), W_OK | X_OK) != 0) {
    wrong = there.string() + " can't be written: " + std::generic_category().message(errno);
  } else {
    return std::nullopt;
  }
  return config::Problem{{config.file, 0, 0},
                         "spool.path",
                         config.spool.path + " can't be used: " + wrong,
                         "it has to be a folder that the sidecar may write to"};
}

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
  if (auto unusable = CheckSpoolPath(loaded.config)) {
    unusable->severity = config::Problem::Severity::kWarning;
    problems.push_back(std::move(*unusable));
  }
  return problems;
}

}  // namespace outrigger::app
