#include "deliver/roster.h"

#include <algorithm>
#include <utility>

#include "telemetry/log.h"

namespace outrigger::deliver {
namespace {

using telemetry::Level;
using telemetry::Log;

SubscribedPartition* PartOf(const AssignedPartition& partition, const Subscription& subscription) {
  const auto& parts = partition.parts();
  const auto part = std::ranges::find_if(
      parts, [&](const auto& each) { return each->subscription == &subscription; });
  return part == parts.end() ? nullptr : part->get();
}

// Its unsettled events, in order, and when each was tried first is kept for the next one.
std::vector<std::shared_ptr<Fetched>> Unsettled(SubscribedPartition& part) {
  std::vector<std::shared_ptr<Fetched>> left;
  for (const auto& [offset, delivery] : part.deliveries) {
    left.push_back(delivery.fetched);
    if (delivery.first_tried != base::WallTime{}) part.first_tries[offset] = delivery.first_tried;
  }
  return left;
}

}  // namespace

base::Result<void> Roster::Open(const std::vector<config::Subscription>& wanted) {
  wanted_ = wanted;
  for (const auto& config : wanted_) {
    auto subscription = hooks_.create(config);
    if (!subscription) return base::Fail(subscription.error());
    all_.push_back(std::move(*subscription));
  }
  return {};
}

void Roster::Apply(std::vector<config::Subscription> wanted, base::Duration within) {
  wanted_ = std::move(wanted);
  const base::TimePoint by = loop_.Now() + within;
  for (const auto& each : all_) {
    const config::Subscription* next = WantedOf(*each);
    if (!next || *next != each->config()) {
      if (leaving_.emplace(each.get(), by).second) each->SetHeld(true);
    } else if (leaving_.erase(each.get()) > 0) {
      each->SetHeld(false);
    }
  }
  for (const auto& config : wanted_)
    if (std::ranges::none_of(all_, [&](const auto& each) { return each->name() == config.name; }))
      Begin(config);
  Look();
}

const config::Subscription* Roster::WantedOf(const Subscription& subscription) const {
  const auto found = std::ranges::find(wanted_, subscription.name(), &config::Subscription::name);
  return found == wanted_.end() ? nullptr : &*found;
}

void Roster::Begin(const config::Subscription& config) {
  auto created = hooks_.create(config);
  if (!created)
    return Log(Level::kError, "a subscription can't begin",
               {{"subscription", config.name}, {"error", created.error().message}});
  Subscription& added = *all_.emplace_back(std::move(*created));
  for (const auto& [number, partition] : assignment_.all()) {
    partition->SetAlone(all_.size() == 1);
    if (partition->revoked() || partition->retired() || !added.Takes(partition->at().topic))
      continue;
    added.Join(partition->AddLater(added, SubscriptionId(added.name())));
    hooks_.touch(*partition);
  }
  hooks_.on_changed();
}

Roster::Topics Roster::topics() const {
  Topics topics;
  for (const auto& each : all_) {
    for (const auto& topic : each->config().topics)
      if (std::ranges::find(topics.taken, topic.value) == topics.taken.end())
        topics.taken.push_back(topic.value);
    const std::string& dead = each->config().dead_letter;
    if (!dead.empty() &&
        std::ranges::none_of(all_, [&](const auto& other) { return other->Takes(dead); }))
      topics.never.push_back(dead);
  }
  return topics;
}

bool Roster::Settled(const Subscription& subscription) const {
  if (subscription.busy()) return false;
  return std::ranges::all_of(assignment_.all(), [&](const auto& each) {
    const SubscribedPartition* part = PartOf(*each.second, subscription);
    return !part || part->awaiting_commit.empty();
  });
}

void Roster::CarryOut() {
  const base::TimePoint now = loop_.Now();
  std::vector<Subscription*> ready;
  for (const auto& [leaving, by] : leaving_)
    if (now >= by || Settled(*leaving)) ready.push_back(leaving);
  for (Subscription* each : ready) {
    leaving_.erase(each);
    Replace(*each);
  }
  if (!ready.empty()) hooks_.on_changed();
  WakeAtDeadline();
}

void Roster::WakeAtDeadline() {
  if (leaving_.empty()) return;
  const auto first =
      std::ranges::min_element(leaving_, {}, [](const auto& each) { return each.second; });
  deadline_ = loop_.After(first->second - loop_.Now(), [this] { CarryOut(); });
}

void Roster::Replace(Subscription& old) {
  const config::Subscription* wanted = WantedOf(old);
  std::unique_ptr<Subscription> next;
  if (wanted) {
    auto created = hooks_.create(*wanted);
    if (!created) {
      Log(Level::kError, "a subscription can't be changed, and goes on as it is",
          {{"subscription", old.name()}, {"error", created.error().message}});
      return old.SetHeld(false);
    }
    next = std::move(*created);
  }
  Succeed(old, next.get());
  const auto at = std::ranges::find_if(all_, [&](const auto& each) { return each.get() == &old; });
  if (next) {
    *at = std::move(next);
    return (*at)->TurnSoon();
  }
  hooks_.on_gone(old);
  all_.erase(at);
  for (const auto& [number, partition] : assignment_.all()) partition->SetAlone(all_.size() == 1);
}

void Roster::Succeed(Subscription& old, Subscription* next) {
  for (const auto& [number, partition] : assignment_.all()) {
    const bool takes = next && next->Takes(partition->at().topic);
    if (SubscribedPartition* part = PartOf(*partition, old)) {
      const auto left = Unsettled(*part);
      old.Leave(*part);
      if (takes) {
        part->subscription = next;
        next->Join(*part);
        for (const auto& fetched : left) next->Take(*part, fetched);
      } else {
        partition->Remove(*part);
      }
    } else if (takes && !partition->revoked() && !partition->retired()) {
      next->Join(partition->AddLater(*next, SubscriptionId(next->name())));
    }
    hooks_.touch(*partition);
  }
}

}  // namespace outrigger::deliver
