#include <set>

#include "base/text.h"
#include "config/field.h"
#include "config/memory.h"

namespace outrigger::config {
namespace {

constexpr uint64_t kMostBudget = uint64_t{1} << 40;

void ReadBudget(Config& config, const Spot& spot, Reading& reading) {
  uint64_t bytes = 0;
  if (!ReadSize(bytes, spot, 1, kMostBudget, reading)) return;
  config.memory_budget = bytes;
  config.memory_budget_place = reading.PlaceOf(spot);
}

}  // namespace

base::MemoryDemand MemoryDemandOf(const Config& config) {
  base::MemoryDemand demand;
  demand.largest_event = config.http.max_body;
  if (!config.kafka.enabled) return demand;
  demand.spool = config.spool.enabled();
  std::set<std::string> groups;
  for (const auto& subscription : config.subscriptions) groups.insert(subscription.group);
  demand.groups = groups.size();
  demand.subscriptions = config.subscriptions.size();
  return demand;
}

std::string Show(const base::MemoryDemand& demand) {
  std::string text;
  if (demand.groups > 0)
    text = base::Counted(demand.groups, "group") + ", " +
           base::Counted(demand.subscriptions, "subscription") + " and ";
  return text + "events of " + ShowSize(demand.largest_event) + " (http.maxBody)";
}

Field<Config> MemoryField() {
  return Group(
      "memory", "How much memory events may take.",
      Mapping<Config>{
          .fields = {MakeField<Config>(
              "budget",
              "What events that wait for Kafka or for the app, request bodies, answers and fetch "
              "queues may take together. A share of it that is full pauses fetching or answers "
              "503. Default: half of the container's memory limit, 256MiB without one.",
              SizeSchema(), ReadBudget, [](const Config& config) {
                return config.memory_budget ? Shown(*config.memory_budget) : Json();
              })}});
}

// A budget that is given must do; one by the container's limit is made to do (app/memory.h).
void CheckMemory(const Config& config, Reading& reading) {
  if (!config.memory_budget) return;
  const base::MemoryDemand demand = MemoryDemandOf(config);
  const uint64_t least = base::MemoryBudget::Least(demand);
  if (*config.memory_budget >= least) return;
  static const YamlNode kNothing;
  const Place& place = config.memory_budget_place;
  reading.Error(
      Spot{kNothing, place.line, place.column, "memory.budget"},
      ShowSize(*config.memory_budget) + " is too little for " + Show(demand),
      "at least " + ShowSize(least) + "; by default it is half of the container's memory limit");
}

}  // namespace outrigger::config
