// Choosing a rule must cost the same with 10,000 typed routes as with 10; building the table is a
// reload's cost.
#include <benchmark/benchmark.h>

#include "event/cloudevents.h"
#include "event_text.h"
#include "publish/routes.h"

namespace outrigger::bench {
namespace {

std::string TypeText(int64_t number) { return "team" + std::to_string(number) + ".done"; }

config::Config TypedRoutes(int64_t count) {
  config::Config config;
  for (int64_t i = 0; i < count; ++i) {
    config::Route route;
    route.path = "routes[" + std::to_string(i) + "]";
    route.match.type = config::Text{TypeText(i), {}, {}};
    route.topic = config::Text{"team.events", {}, {}};
    route.key = config::Text{"data.userId", {}, {}};
    config.routes.push_back(std::move(route));
  }
  return config;
}

void SelectByType(benchmark::State& state) {
  std::vector<config::Problem> problems;
  const auto routes = publish::Routes::Build(TypedRoutes(state.range(0)), problems);
  if (config::HasErrors(problems)) return state.SkipWithError("the routes do not compile");
  event::Event event;
  event.type = TypeText(state.range(0) - 1);
  event.data = DataText(event.type, KeyText(7));
  event.data_is_json = true;
  for (auto _ : state) {
    event::Data data(event);
    auto rules = routes->Select(event, data);
    if (!rules || rules->size() != 1) state.SkipWithError("not exactly one rule");
    benchmark::DoNotOptimize(rules);
  }
}
BENCHMARK(SelectByType)->Arg(10)->Arg(10000);

void BuildRoutes(benchmark::State& state) {
  const config::Config config = TypedRoutes(state.range(0));
  for (auto _ : state) {
    std::vector<config::Problem> problems;
    benchmark::DoNotOptimize(publish::Routes::Build(config, problems));
  }
}
BENCHMARK(BuildRoutes)->Arg(10)->Arg(10000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace outrigger::bench
