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

// The subscriptions of each consumer group, in the file's order.
std::vector<std::vector<config::Subscription>> ByGroup(
    const std::vector<config::Subscription>& all) {
  std::vector<std::vector<config::Subscription>> groups;
  for (const auto& subscription : all) {
    const auto same = std::ranges::find_if(
        groups, [&](const auto& group) { return group.front().group == subscription.group; });
    if (same == groups.end())
      groups.push_back({subscription});
    else
      same->push_back(subscription);
  }
  return groups;
}

}  // namespace

DeliverFlow::DeliverFlow(const config::Config& config, const telemetry::MemoryUse& memory_use,
                         telemetry::Metrics& metrics)
    : metrics_(metrics), memory_use_(memory_use), kafka_(config.kafka) {}

base::Result<std::unique_ptr<DeliverFlow>> DeliverFlow::Create(
    const config::Config& config, const base::MemoryBudget& budget,
    const telemetry::MemoryUse& memory_use, telemetry::Metrics& metrics,
    telemetry::Conditions& conditions) {
  std::unique_ptr<DeliverFlow> flow(new DeliverFlow(config, memory_use, metrics));
  kafka::ProducerOptions options;
  options.kafka = config.kafka;
  options.max_bytes = budget.of(MemoryShare::kDeadLetters);
  const auto fetch = kafka::FetchBounds::Of(budget.fetch_of_group(), budget.total());
  auto producer = kafka::Producer::Create(flow->loop_, std::move(options));
  if (!producer) return base::Fail(producer.error());
  flow->producer_ = std::move(*producer);
  for (auto& subscriptions : ByGroup(config.subscriptions)) {
    const size_t waiting = budget.application_of_subscription() * subscriptions.size();
    auto created = deliver::Group::Create({.loop = flow->loop_,
                                           .kafka = flow->kafka_,
                                           .subscriptions = std::move(subscriptions),
                                           .rebalance_drain = config.rebalance_drain,
                                           .sink = flow->producer_->sink(),
                                           .metrics = metrics,
                                           .conditions = conditions,
                                           .max_waiting_bytes = waiting,
                                           .fetch = fetch});
    if (!created) return base::Fail(created.error());
    flow->groups_.push_back(std::move(*created));
  }
  return flow;
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
  for (const auto& group : groups_) {
    waiting += group->waiting_bytes();
    fetched += group->fetched_bytes();
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
    stopping_ = groups_.size() + 1;
    deadline_ = loop_.After(budget, [this] {
      Log(Level::kWarn,
          "shutdown.budget is over: what the app has not answered is delivered again");
      loop_.Stop();
    });
    const auto settle_within = budget - std::min(kLeaveShare, budget / 4);
    for (const auto& group : groups_) group->Stop(settle_within, [this] { Stopped(); });
    Stopped();
  });
  if (thread_.joinable()) thread_.join();
}

void DeliverFlow::Stopped() {
  if (--stopping_ > 0) return;
  // Dead-letter records that are still under way: their events were not settled, so nothing is lost
  // either way.
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(stop_by_ - loop_.Now());
  producer_->Close(std::max(left, std::chrono::milliseconds(0)), [this] { loop_.Stop(); });
}

}  // namespace outrigger::app
