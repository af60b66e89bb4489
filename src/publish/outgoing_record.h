// A record that is ready for the producer, and where its report is counted.
//
// Plain values.
#pragma once

#include <string>

#include "config/config.h"
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
  config::Ack ack = config::Ack::kKafka;  // when its caller is answered
};

}  // namespace outrigger::publish
