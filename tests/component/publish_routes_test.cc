#include "publish/routes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>

namespace outrigger::publish {
namespace {

using Clock = std::chrono::steady_clock;

// The best of twenty rounds, of choosing the last but one of `count` rules that name a type.
Clock::duration CostAmong(size_t count) {
  config::Config config;
  for (size_t i = 0; i < count; ++i) {
    config::Route route;
    route.match.type = config::Text{"kind." + std::to_string(i) + (i % 2 ? ".*" : ".x"), {}, {}};
    route.topic = config::Text{"t", {}, {}};
    config.routes.push_back(std::move(route));
  }
  std::vector<config::Problem> problems;
  const auto routes = Routes::Build(config, problems);
  EXPECT_FALSE(config::HasErrors(problems));
  event::Event event;
  event.type = "kind." + std::to_string(count - 2) + ".x";
  auto best = Clock::duration::max();
  for (int round = 0; round < 20; ++round) {
    const auto began = Clock::now();
    for (int i = 0; i < 200; ++i) {
      event::Data data(event);
      const auto rules = routes->Select(event, data);
      EXPECT_TRUE(rules && rules->size() == 1 && rules->front()->index == count - 2);
    }
    best = std::min(best, Clock::now() - began);
  }
  return best;
}

// A bound on work, not on time: a walk over the rules would cost a thousand times as much; five is
// the noise of a shared machine.
TEST(Routes, TenThousandTypedRulesCostWhatTenDo) {
  EXPECT_LT(CostAmong(10'000), CostAmong(10) * 5);
}

}  // namespace
}  // namespace outrigger::publish
