#include "deliver/circuit_log.h"

namespace outrigger::deliver {

using State = AppCircuit::State;

void CircuitLog::Show(State state, base::TimePoint now) {
  if (state == State::kChecking) return;  // a moment, and then one of the others
  if (state != seen_) ++changes_;
  seen_ = state;
  uint64_t held_back = 0;
  if (state == told_ || !limit_.Allow(now, held_back)) return;
  const bool down = state == State::kDown;
  telemetry::Log(state == State::kClosed ? telemetry::Level::kInfo : telemetry::Level::kWarn,
                 state == State::kClosed ? "the app is back: delivery goes on"
                 : down                  ? "the app is down: delivery waits for it"
                                         : "the app is degraded: it is tried one event at a time",
                 {{"subscription", subscription_},
                  {"app", app_},
                  {"held_back", std::to_string(changes_ - 1)}});
  told_ = state;
  changes_ = 0;
}

}  // namespace outrigger::deliver
