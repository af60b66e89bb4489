#include "telemetry/conditions.h"

#include <utility>

#include "base/json_text.h"

namespace outrigger::telemetry {
namespace {

const char* Text(Status status) {
  switch (status) {
    case Status::kTrue:
      return "True";
    case Status::kFalse:
      return "False";
    case Status::kUnknown:
      break;
  }
  return "Unknown";
}

}  // namespace

bool Conditions::Set(const std::string& type, Status status, std::string reason,
                     std::string message) {
  std::lock_guard lock(mutex_);
  Condition& condition = conditions_[type];
  const bool changed = condition.type.empty() || condition.status != status;
  if (changed) condition.last_transition = clock_.wall();
  condition.type = type;
  condition.status = status;
  condition.reason = std::move(reason);
  condition.message = std::move(message);
  return changed;
}

void Conditions::Remove(const std::string& type) {
  std::lock_guard lock(mutex_);
  conditions_.erase(type);
}

void Conditions::SetGeneration(std::string generation) {
  std::lock_guard lock(mutex_);
  generation_ = std::move(generation);
}

std::vector<Condition> Conditions::All() const {
  std::lock_guard lock(mutex_);
  std::vector<Condition> all;
  for (const auto& [type, condition] : conditions_) all.push_back(condition);
  return all;
}

Condition Conditions::Get(const std::string& type) const {
  std::lock_guard lock(mutex_);
  const auto found = conditions_.find(type);
  return found == conditions_.end() ? Condition() : found->second;
}

std::string Conditions::Json() const {
  std::lock_guard lock(mutex_);
  std::string out =
      "{\"observedGeneration\":" + base::JsonString(generation_) + ",\"conditions\":[";
  bool first = true;
  for (const auto& [type, condition] : conditions_) {
    if (!std::exchange(first, false)) out += ',';
    out += "{\"type\":" + base::JsonString(type) + ",\"status\":\"" + Text(condition.status) +
           "\",\"reason\":" + base::JsonString(condition.reason) +
           ",\"message\":" + base::JsonString(condition.message) + ",\"lastTransitionTime\":\"" +
           base::Rfc3339(condition.last_transition) + "\"}";
  }
  return out + "]}";
}

}  // namespace outrigger::telemetry
