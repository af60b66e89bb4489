// The publish flow on its thread: server → ingress → publisher → producer, joined here and nowhere
// else.
//
// Thread: built on the caller's thread; after Start everything inside runs on the flow's own. The
// other methods may be called from any thread. Lifetime: what it is given outlives it; destroying
// it stops it at once.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "app/allocator.h"
#include "app/open_spool.h"
#include "base/loop.h"
#include "base/memory_budget.h"
#include "base/result.h"
#include "config/config.h"
#include "http/server.h"
#include "kafka/producer.h"
#include "publish/ingress.h"
#include "publish/publisher.h"
#include "telemetry/conditions.h"
#include "telemetry/memory_use.h"
#include "telemetry/metrics.h"

namespace outrigger::app {

class PublishFlow {
 public:
  // Builds the producer (none when Kafka is disabled). No port is open yet, no thread runs.
  static base::Result<std::unique_ptr<PublishFlow>> Create(const config::Config& config,
                                                           const base::MemoryBudget& budget,
                                                           const telemetry::MemoryUse& memory_use,
                                                           telemetry::Metrics& metrics,
                                                           telemetry::Conditions& conditions);
  PublishFlow(const PublishFlow&) = delete;
  PublishFlow& operator=(const PublishFlow&) = delete;
  ~PublishFlow();

  // Starts the thread; Kafka is looked for from here on.
  void Start();
  // Opens the ports; requests are served when this returns. `port` is the TCP port in use.
  base::Result<uint16_t> Listen(const config::Http& http);
  // Routes, limits, token, rate: from the next request on. Kafka: by new clients.
  void Apply(const config::Config& config, const base::MemoryBudget& budget, std::string token,
             std::shared_ptr<const publish::Routes> routes);

  // Waits for Kafka, until `give_up` says otherwise (on the flow's thread); empty when it was
  // reached, else why not.
  std::string WaitForKafka(std::chrono::milliseconds at_most, const std::function<bool()>& give_up);

  // Keeps accepting until the app has been quiet for a second, flushes, and ends; `budget` bounds
  // all of it. Blocks.
  void Shutdown(std::chrono::milliseconds budget);

  bool kafka_enabled() const { return kafka_enabled_; }
  bool kafka_connected() const { return kafka_connected_.load(std::memory_order_relaxed); }
  base::Loop& loop() { return loop_; }

 private:
  PublishFlow(const config::Config& config, const base::MemoryBudget& budget,
              const telemetry::MemoryUse& memory_use, telemetry::Metrics& metrics,
              telemetry::Conditions& conditions);

  void ApplyKafka(const config::Config& config);
  void OnConnectionChange();
  void ShowConnection();
  void ShowRefusal(const kafka::Connection& connection);
  void Tick();
  void ShowMemory();
  void DrainWhenQuiet();
  void Drain();
  void Flush();
  void CloseProducer();
  std::chrono::milliseconds DrainTimeLeft() const;

  base::MemoryBudget budget_;
  const telemetry::MemoryUse& memory_use_;
  telemetry::Metrics& metrics_;
  telemetry::Conditions& conditions_;
  const bool kafka_enabled_;
  config::Kafka kafka_;
  std::string brokers_;  // for people
  base::Loop loop_;
  std::unique_ptr<kafka::Producer> producer_;
  std::unique_ptr<OpenSpool> spool_;  // null: there is none
  std::unique_ptr<publish::Publisher> publisher_;
  std::unique_ptr<publish::Ingress> ingress_;
  std::unique_ptr<http::Server> server_;
  std::thread thread_;
  std::atomic<bool> kafka_connected_{false};
  uint64_t rebuilds_ = 0;
  FloodGate flood_gate_;
  base::Timer tick_;

  // The drain, on the flow's thread.
  base::TimePoint drain_by_;
  base::TimePoint drain_asked_;
  bool flushing_ = false;
  bool closing_producer_ = false;
  base::Timer drain_timer_;
};

}  // namespace outrigger::app
