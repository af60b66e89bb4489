// The subscriptions of a group, and how a reload changes them.
//
// What is wanted is kept, and what there is follows: one that is new begins with the records that
// come next; one whose config is another begins nothing more, and when all that it has begun is
// settled and counted, or `within` is over, another one takes its place, with its partitions,
// offsets and attempts, and with the events that it has not settled; one that is not wanted any
// more goes in the same way, and nothing waits for its events. The others notice nothing.
//
// Thread: the deliver flow's loop; nothing is replaced within a call of a subscription's. Lifetime:
// of its group.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/loop.h"
#include "config/config.h"
#include "deliver/assignment.h"
#include "deliver/subscription.h"

namespace outrigger::deliver {

class Roster {
 public:
  struct Hooks {
    std::function<base::Result<std::unique_ptr<Subscription>>(const config::Subscription&)> create;
    std::function<void(AssignedPartition&)> touch;     // what it has of a partition has changed
    std::function<void(const Subscription&)> on_gone;  // it is destroyed next
    std::function<void()> on_changed;                  // all() has
  };

  Roster(base::Loop& loop, Assignment& assignment, Hooks hooks)
      : loop_(loop), assignment_(assignment), hooks_(std::move(hooks)) {}

  // The first ones; fails on one that can't be used.
  base::Result<void> Open(const std::vector<config::Subscription>& wanted);
  void Apply(std::vector<config::Subscription> wanted, base::Duration within);
  // What they have begun may have settled; after each turn.
  void Look() {
    if (!leaving_.empty()) soon_ = loop_.After(base::Duration::zero(), [this] { CarryOut(); });
  }

  const std::vector<std::unique_ptr<Subscription>>& all() const { return all_; }

  // All that they take, and their dead-letter topics, which their expressions pass over where no
  // other one takes them.
  struct Topics {
    std::vector<std::string> taken, never;
    bool operator==(const Topics&) const = default;
  };
  Topics topics() const;

 private:
  const config::Subscription* WantedOf(const Subscription& subscription) const;
  bool Settled(const Subscription& subscription) const;
  void Begin(const config::Subscription& config);
  void CarryOut();
  void Replace(Subscription& old);
  void Succeed(Subscription& old, Subscription* next);
  void WakeAtDeadline();

  base::Loop& loop_;
  Assignment& assignment_;
  const Hooks hooks_;
  std::vector<std::unique_ptr<Subscription>> all_;
  std::vector<config::Subscription> wanted_;
  std::unordered_map<Subscription*, base::TimePoint> leaving_;  // until when it may settle
  base::Timer soon_;
  base::Timer deadline_;
};

}  // namespace outrigger::deliver
