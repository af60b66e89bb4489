// Whether the app is there: its health check while all is well, and the probes of a circuit that is
// not closed.
//
// With `deliver.health` a probe is that request, on a connection of its own, since a busy app is
// not an ill one; without it a connection is opened and closed.
//
// Thread: the loop's. Lifetime: destroying it calls nobody back.
#pragma once

#include <functional>
#include <optional>

#include "base/loop.h"
#include "config/config.h"
#include "deliver/circuit.h"
#include "http/client.h"
#include "http/reachable.h"

namespace outrigger::deliver {

class AppHealth {
 public:
  AppHealth(base::Loop& loop, const http::Endpoint& app, std::optional<config::AppHealth> check);

  // `on_result` comes once, later.
  void Probe(std::function<void(AppCircuit::Probe)> on_result);

  // From now on the health check, where there is one, is asked at its interval while `wanted` says
  // so; `on_unhealthy` when it has failed as often in a row as it says.
  void Watch(std::function<bool()> wanted, std::function<void()> on_unhealthy);

 private:
  void Ask(http::OnAnswer on_answer);
  void AskLater();

  base::Loop& loop_;
  const std::optional<config::AppHealth> check_;
  http::Reachable reachable_;
  std::optional<http::Client> client_;
  std::function<bool()> wanted_;
  std::function<void()> on_unhealthy_;
  uint32_t failures_ = 0;  // in a row
  base::Timer again_;
};

}  // namespace outrigger::deliver
