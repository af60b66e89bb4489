// The log's lines of a circuit: that delivery waits for the app, that it goes on.
//
// A degraded app that takes a probe now and then opens and closes its circuit with each: the log
// has a line for a change at most every ten seconds, and the last line is always true in the end.
//
// Thread: the loop's.
#pragma once

#include <string>
#include <utility>

#include "base/clock.h"
#include "deliver/circuit.h"
#include "telemetry/log.h"

namespace outrigger::deliver {

class CircuitLog {
 public:
  CircuitLog(std::string subscription, std::string app)
      : subscription_(std::move(subscription)), app_(std::move(app)) {}

  // Call it when the state may have changed, and every second.
  void Show(AppCircuit::State state, base::TimePoint now);

 private:
  const std::string subscription_, app_;
  AppCircuit::State seen_ = AppCircuit::State::kClosed;
  AppCircuit::State told_ = AppCircuit::State::kClosed;
  uint64_t changes_ = 0;  // since the last line
  telemetry::LogLimit limit_;
};

}  // namespace outrigger::deliver
