#include "app/deliver_flow.h"

#include <algorithm>

#include "telemetry/log.h"

namespace outrigger::app {

using base::MemoryShare;
using telemetry::Level;
using telemetry::Log;

namespace {

// Of the budget: to commit what has settled, get the last dead-letter records acked and leave the
// groups.
constexpr std::chrono::milliseconds kLeaveShare{2000};
constexpr auto kTick = std::chrono::seconds(1);

}  // namespace

DeliverFlow::DeliverFlow(const telemetry::MemoryUse& memory_use, telemetry::Metrics& metrics,
                         telemetry::Conditions& conditions)
    : metrics_(metrics), memory_use_(memory_use), conditions_(conditions) {}

base::Result<std::unique_ptr<DeliverFlow>> DeliverFlow::Create(
    const config::Config& config, const base::MemoryBudget& budget,
    const telemetry::MemoryUse& memory_use, telemetry::Metrics& metrics,
    telemetry::Conditions& conditions) {
  std::unique_ptr<DeliverFlow> flow(new DeliverFlow(memory_use, metrics, conditions));
  kafka::ProducerOptions options;
  options.kafka = config.kafka;
  options.max_bytes = budget.of(MemoryShare::kDeadLetters);
  auto producer = kafka::Producer::Create(flow->loop_, std::move(options));
  if (!producer) return base::Fail(producer.error());
  flow->producer_ = std::move(*producer);
  flow->Want(config, budget);
  for (const auto& [name, wanted] : flow->wanted_)
    if (auto begun = flow->Begin(name); !begun) return base::Fail(begun.error());
  return flow;
}

void DeliverFlow::Want(const config::Config& config, const base::MemoryBudget& budget) {
  kafka_ = config.kafka;
  fetch_ = kafka::FetchBounds::Of(budget.fetch_of_group(), budget.total());
  drain_ = config.rebalance_drain;
  wanted_.clear();
  for (const auto& subscription : config.subscriptions) {
    deliver::GroupOptions& group = wanted_[subscription.group];
    group.subscriptions.push_back(subscription);
    group.rebalance_drain = config.rebalance_drain;
    group.max_waiting_bytes = budget.application_of_subscription() * group.subscriptions.size();
  }
}

base::Result<void> DeliverFlow::Begin(const std::string& name) {
  auto created = deliver::Group::Create({.loop = loop_,
                                         .kafka = kafka_,
                                         .sink = producer_->sink(),
                                         .metrics = metrics_,
                                         .conditions = conditions_,
                                         .on_gone = [this](const auto& gone) { OnGone(gone); },
                                         .fetch = fetch_,
                                         .options = wanted_.at(name)});
  if (!created) return base::Fail(created.error());
  groups_[name].group = std::move(*created);
  return {};
}

void DeliverFlow::Apply(const config::Config& config, const base::MemoryBudget& budget) {
  loop_.Call([&] {
    const bool other_clients = !kafka_.SameClients(config.kafka);
    Want(config, budget);
    producer_->SetMaxBytes(budget.of(MemoryShare::kDeadLetters));
    if (other_clients) {
      producer_->SetKafka(kafka_);
      for (auto& [name, running] : groups_)
        if (!running.stopping) running.group->ApplyKafka();
    }
    Follow();
  });
}

void DeliverFlow::Follow() {
  for (auto& [name, running] : groups_) {
    if (running.stopping) continue;
    const auto wanted = wanted_.find(name);
    if (wanted != wanted_.end())
      running.group->Apply(wanted->second);
    else
      Stop(name, running, drain_);
  }
  for (const auto& [name, options] : wanted_) {
    if (groups_.contains(name)) continue;
    if (auto begun = Begin(name); !begun) ShowThatItCant(name, begun.error());
  }
}

void DeliverFlow::Stop(const std::string& name, Running& running, base::Duration settle_within) {
  if (std::exchange(running.stopping, true)) return;
  running.group->Stop(settle_within, [this, name] { OnStopped(name); });
  running.give_up = loop_.After(settle_within + kLeaveShare, [this, name] { OnStopped(name); });
}

void DeliverFlow::OnStopped(std::string group) {
  const auto stopped = groups_.extract(group);
  if (shutting_down_) return CloseWhenStopped();
  for (const auto& name : stopped.mapped().group->names()) OnGone(name);
  Follow();
}

// It may have moved to another group.
void DeliverFlow::OnGone(const std::string& subscription) {
  for (const auto& [group, options] : wanted_)
    for (const auto& each : options.subscriptions)
      if (each.name == subscription) return;
  conditions_.Remove("Delivering/" + subscription);
}

// What a check of the config did not find.
void DeliverFlow::ShowThatItCant(const std::string& group, const base::Error& error) {
  Log(Level::kError, "a consumer group can't be joined",
      {{"group", group}, {"error", error.message}});
  for (const auto& each : wanted_.at(group).subscriptions)
    conditions_.Set("Delivering/" + each.name, telemetry::Status::kFalse, "Refused", error.message);
}

DeliverFlow::~DeliverFlow() {
  loop_.Stop();
  if (thread_.joinable()) thread_.join();
  groups_.clear();
}

void DeliverFlow::Start() {
  tick_ = loop_.After(kTick, [this] { Tick(); });
  thread_ = loop_.RunOnThread("deliver");
}

void DeliverFlow::Tick() {
  tick_ = loop_.After(kTick, [this] { Tick(); });
  metrics_.ProducerRebuilds().Increment(static_cast<double>(producer_->rebuilds() - rebuilds_));
  rebuilds_ = producer_->rebuilds();
  ShowMemory();
}

void DeliverFlow::ShowMemory() {
  uint64_t waiting = 0;
  uint64_t fetched = 0;
  for (const auto& [name, running] : groups_) {
    waiting += running.group->waiting_bytes();
    fetched += running.group->fetched_bytes();
  }
  memory_use_.Set(MemoryShare::kApplication, waiting);
  memory_use_.Set(MemoryShare::kFetch, fetched);
  memory_use_.Set(MemoryShare::kDeadLetters, producer_->waiting_bytes());
  const uint64_t held = waiting + fetched + producer_->waiting_bytes();
  flood_gate_.Look(held, held);
}

void DeliverFlow::Shutdown(std::chrono::milliseconds budget) {
  loop_.Post([this, budget] {
    stop_by_ = loop_.Now() + budget;
    shutting_down_ = true;
    deadline_ = loop_.After(budget, [this] {
      Log(Level::kWarn,
          "shutdown.budget is over: what the app has not answered is delivered again");
      loop_.Stop();
    });
    const auto settle_within = budget - std::min(kLeaveShare, budget / 4);
    for (auto& [name, running] : groups_) Stop(name, running, settle_within);
    CloseWhenStopped();
  });
  if (thread_.joinable()) thread_.join();
}

void DeliverFlow::CloseWhenStopped() {
  if (!groups_.empty()) return;
  // Dead-letter records that are still under way: their events were not settled, so nothing is lost
  // either way.
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(stop_by_ - loop_.Now());
  producer_->Close(std::max(left, std::chrono::milliseconds(0)), [this] { loop_.Stop(); });
}

}  // namespace outrigger::app
