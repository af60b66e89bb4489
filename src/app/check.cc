#include "app/check.h"

#include "deliver/check.h"
#include "kafka/check.h"

namespace outrigger::app {

std::vector<config::Problem> CheckClients(const config::Config& config) {
  auto problems = deliver::Check(config);
  for (auto& problem : kafka::Check(config)) problems.push_back(std::move(problem));
  return problems;
}

}  // namespace outrigger::app
