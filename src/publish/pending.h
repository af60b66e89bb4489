// An event between the producer and its answer.
#pragma once

#include <list>
#include <string>
#include <vector>

#include "base/clock.h"
#include "publish/publisher.h"

namespace outrigger::publish {

// A caller who waits for the outcome of an event.
struct Waiter {
  OnDecided on_decided;
  base::TimePoint since;  // by AwakeTime
  Pending* pending;
  bool joined;  // it is not the first one of its event
  std::list<Waiter>::iterator self;
  Waiter* next = nullptr;  // who came after it to the same event
};

// The destination of one target of an event, and its label in the metrics.
struct Destination {
  const telemetry::ProducerTopic* series;
  std::string dead_letter;  // empty: none
};

struct Pending {
  Publisher* publisher = nullptr;
  std::list<Pending>::iterator self;  // in the publisher's list
  Outcome outcome;
  std::vector<Destination> destinations;  // one for each target
  Waiter* first = nullptr;                // of the waiters, in the order in which they came
  Waiter* last = nullptr;
  size_t undecided = 0;
  base::TimePoint accepted;
  KnownEvent* known = nullptr;
  std::shared_ptr<Sequence> sequence;
};

// A record on its way to the producer.
struct Publisher::Part {
  Prepared prepared;
  Destination destination;
  bool wait_for_kafka = true;
};

// Whether the answer is to come when Kafka has acked what `rule` makes of the event.
inline bool WaitsForKafka(const Rule& rule, const Ask& ask) {
  return ask.ack.value_or(rule.ack) == config::Ack::kKafka;
}

}  // namespace outrigger::publish
