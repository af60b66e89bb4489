#include "telemetry/causes.h"

#include <algorithm>
#include <utility>

namespace outrigger::telemetry {

void Causes::Add(Status status, std::string reason, std::string message) {
  causes_.push_back({{}, status, std::move(reason), std::move(message), {}});
}

Condition Causes::Together() const {
  Condition together;
  for (const Status status : {Status::kFalse, Status::kUnknown, Status::kTrue}) {
    const auto first = std::ranges::find(causes_, status, &Condition::status);
    if (first == causes_.end()) continue;
    together = *first;
    break;
  }
  std::vector<const Condition*> told;
  for (const Condition& cause : causes_)
    if (together.status == Status::kTrue || cause.status != Status::kTrue) told.push_back(&cause);
  if (told.size() < 2) return together;
  together.message.clear();
  for (const Condition* cause : told) {
    if (!together.message.empty()) together.message += "; ";
    if (together.status != Status::kTrue) together.message += cause->reason + ": ";
    together.message += cause->message;
  }
  return together;
}

}  // namespace outrigger::telemetry
