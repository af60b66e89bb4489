// The whole sidecar: built from a config, started, reloaded and drained.
//
// Thread: the caller's (the control thread); the parts have threads of their own. Lifetime:
// Shutdown before destruction lets events reach Kafka, destruction alone drops them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/deliver_flow.h"
#include "app/publish_flow.h"
#include "base/memory_budget.h"
#include "base/result.h"
#include "config/config.h"
#include "config/load.h"
#include "kafka/embedded.h"
#include "ops/ops_server.h"
#include "telemetry/conditions.h"
#include "telemetry/memory_use.h"
#include "telemetry/metrics.h"

namespace outrigger::app {

class Sidecar {
 public:
  // Brings everything up: embedded broker if asked for, flow, ops port, app port. With
  // kafka.required, an unreachable Kafka is the error; the wait for it ends also when `give_up`,
  // which is asked on another thread. When it returns, a publish is served.
  static base::Result<std::unique_ptr<Sidecar>> Start(config::Config config,
                                                      const std::function<bool()>& give_up);
  ~Sidecar();

  // Applies another config, or refuses it whole and says why in log, conditions and metrics.
  void Reload(config::Loaded loaded);
  // Why changes of the config are noticed late; "": they are noticed at once.
  void SetWatchTrouble(const std::string& trouble);
  // Blocks until drained or the budget is over.
  void Shutdown();

  uint16_t port() const { return port_; }
  uint16_t ops_port() const { return ops_->port(); }
  std::string bootstrap() const { return embedded_ ? embedded_->bootstrap() : std::string(); }
  const telemetry::Metrics& metrics() const { return metrics_; }

 private:
  Sidecar(config::Config config, const base::MemoryBudget& budget);

  base::Result<void> Build();
  base::Result<void> PrepareDelivery(const config::Config& effective);
  config::Config Effective() const;
  void Apply(std::string token);
  base::Result<void> Open(const std::function<bool()>& give_up);
  void Refuse(const std::vector<config::Problem>& problems);
  void ShowConfig(telemetry::Status status, const std::string& reason, const std::string& message);

  config::Config config_;
  base::MemoryBudget budget_;
  telemetry::Metrics metrics_;
  telemetry::MemoryUse memory_use_{budget_, metrics_};
  telemetry::Conditions conditions_;
  std::shared_ptr<const publish::Routes> routes_;
  std::unique_ptr<kafka::EmbeddedBroker> embedded_;
  std::unique_ptr<PublishFlow> flow_;
  std::unique_ptr<DeliverFlow> deliver_;  // null without subscriptions
  std::unique_ptr<ops::OpsServer> ops_;
  uint16_t port_ = 0;
  telemetry::Condition config_applied_;  // without the trouble
  std::string watch_trouble_;
};

}  // namespace outrigger::app
