// An event between the producer and its answer.
#pragma once

#include <list>
#include <string>
#include <vector>

#include "base/clock.h"
#include "publish/publisher.h"

namespace outrigger::publish {

struct Waiter {
  OnDecided on_decided;
  base::TimePoint deadline;
};

struct Pending {
  Publisher* publisher = nullptr;
  std::list<Pending>::iterator self;  // in the publisher's list, whichever it is
  Outcome outcome;
  std::vector<const telemetry::ProducerTopic*> series;  // one for each target
  std::vector<std::string> dead_letters;                // likewise; empty: none
  std::vector<Waiter> waiters;
  size_t undecided = 0;
  base::TimePoint accepted;
  KnownEvent* known = nullptr;
  std::shared_ptr<Sequence> sequence;
  bool overdue = false;
};

// A record on its way to the producer.
struct Publisher::Part {
  Prepared prepared;
  const telemetry::ProducerTopic* series;
  std::string dead_letter;
  bool wait_for_kafka = true;
};

}  // namespace outrigger::publish
