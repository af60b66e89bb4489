// What came of one attempt at an event: what every transport tells the dispatcher, whatever it
// carried the event by.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "deliver/circuit.h"
#include "deliver/verdict.h"

namespace outrigger::deliver {

struct AttemptResult {
  Verdict verdict;
  AppCircuit::Kind kind = AppCircuit::Kind::kSuccess;
  // How long the app, as a whole, is to be left alone (Retry-After).
  std::optional<base::Duration> asked = {};
  std::string answer = {};  // of the app, an excerpt
};

}  // namespace outrigger::deliver
