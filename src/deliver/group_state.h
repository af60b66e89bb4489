// What /status says of a group: what keeps it from records, and records that Kafka no longer had.
//
// Thread: the deliver flow's.
#pragma once

#include <string>

#include "kafka/consumer.h"
#include "telemetry/causes.h"
#include "telemetry/conditions.h"

namespace outrigger::deliver {

// `consumer` null: there is none yet.
void AddKafkaCauses(const kafka::Consumer* consumer, const std::string& group, size_t partitions,
                    telemetry::Causes& causes);

// Sets RecordsLost/<subscription>.
void ShowLost(telemetry::Conditions& conditions, const std::string& subscription,
              const kafka::Reset& reset);

}  // namespace outrigger::deliver
