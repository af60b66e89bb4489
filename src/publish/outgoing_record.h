// A record that is ready for the producer, and where its report is counted.
//
// Plain values.
#pragma once

#include <string>

#include "event/event.h"
#include "telemetry/metrics.h"

namespace outrigger::publish {

struct Destination {
  const telemetry::ProducerTopic* series;
  std::string dead_letter;  // the topic for what Kafka refuses for good; empty: none
};

struct OutgoingRecord {
  event::Record record;
  Destination destination;
  bool wait_for_kafka = true;  // the caller is answered when Kafka has acked it
};

}  // namespace outrigger::publish
