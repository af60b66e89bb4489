// Conditions as Kubernetes has them: what `/status` shows, and how long it has been so.
//
// Thread: any; a lock guards the few values. Source: Kubernetes API conventions, "Typical status
// properties".
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"

namespace outrigger::telemetry {

enum class Status { kTrue, kFalse, kUnknown };

// The reason of Ready from SIGTERM on.
inline constexpr char kShuttingDown[] = "ShuttingDown";

struct Condition {
  std::string type;  // KafkaConnected
  Status status = Status::kUnknown;
  std::string reason;              // CamelCase, for machines: BrokersUnreachable
  std::string message;             // for people: which broker, why, what to do
  base::WallTime last_transition;  // of `status`
};

class Conditions {
 public:
  explicit Conditions(base::Clock clock) : clock_(std::move(clock)) {}

  // last_transition moves only when the status changes. Returns whether it changed.
  bool Set(const std::string& type, Status status, std::string reason, std::string message);
  void Remove(const std::string& type);
  void SetGeneration(std::string generation);

  std::vector<Condition> All() const;
  Condition Get(const std::string& type) const;

  // {"observedGeneration":"…","conditions":[…]}
  std::string Json() const;

 private:
  base::Clock clock_;
  mutable std::mutex mutex_;
  std::string generation_;
  std::map<std::string, Condition> conditions_;
};

}  // namespace outrigger::telemetry
