// One event on its way to the app, and what one subscription has of an assigned partition.
//
// Plain bookkeeping of a Subscription. Thread: the deliver flow's. Lifetime: a SubscribedPartition
// of its AssignedPartition; a Delivery from its fetch until it is settled or its partition goes.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/clock.h"
#include "deliver/dispatcher.h"
#include "deliver/fetched.h"
#include "telemetry/series.h"

namespace outrigger::deliver {

class AssignedPartition;
class Subscription;
struct SubscribedPartition;

struct Delivery : Dispatcher::Event {
  std::shared_ptr<Fetched> fetched;
  const event::Event* event = nullptr;  // of `fetched`, in the subscription's mode
  uint64_t call = 0;                    // of the transport, while in flight
  base::WallTime first_tried{};         // before this assignment too; none: it was not tried
  std::string answer;                   // of the app with the last verdict, an excerpt
  bool waits = false;                   // for the app: the Backlog counts it

  const kafka::Consumed& record() const { return fetched->record; }
  SubscribedPartition& partition() const;
};

struct SubscribedPartition : Dispatcher::Partition {
  Subscription* subscription = nullptr;
  AssignedPartition* assigned = nullptr;
  const telemetry::ConsumerTopic* topic = nullptr;
  std::map<int64_t, Delivery> deliveries;  // unsettled, by offset
  // When records that did not come yet were tried first, before this assignment.
  std::map<int64_t, base::WallTime> first_tries;
  size_t stuck_bytes = 0;  // of its deliveries that wait for the dead-letter topic
};

inline SubscribedPartition& Delivery::partition() const {
  return static_cast<SubscribedPartition&>(*home);
}

}  // namespace outrigger::deliver
