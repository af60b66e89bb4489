#include "telemetry/spool_drained.h"

#include "base/text.h"
#include "telemetry/causes.h"

namespace outrigger::telemetry {
namespace {

std::string Waiting(const SpoolState& state) {
  std::string text = base::Counted(state.records, "record") + " (" +
                     base::Counted(state.bytes, "byte") + ") in " + state.folder;
  if (state.oldest) text += ", the oldest of " + base::Rfc3339(*state.oldest);
  return text;
}

}  // namespace

Condition SpoolDrained(const SpoolState& state) {
  Causes causes;
  if (!state.store_error.empty())
    causes.Add(Status::kFalse, "StoreFailed", state.folder + ": " + state.store_error);
  if (state.full)
    causes.Add(Status::kFalse, "Full",
               "events are answered 503 until Kafka takes records, or spool.maxBytes is raised");
  if (state.records > 0 && !state.kafka_error.empty())
    causes.Add(Status::kFalse, "WaitingForKafka", Waiting(state) + ": " + state.kafka_error);
  else if (state.records > 0)
    causes.Add(Status::kFalse, "Draining", Waiting(state) + ", on their way to Kafka");
  if (state.quarantined > 0)
    causes.Add(Status::kFalse, "Quarantined",
               base::Counted(state.quarantined, "record") +
                   " that Kafka rejected for good, to be requeued or dropped");
  causes.Add(Status::kTrue, "Empty", "no record waits in " + state.folder);
  Condition condition = causes.Together();
  condition.type = "SpoolDrained";
  return condition;
}

}  // namespace outrigger::telemetry
