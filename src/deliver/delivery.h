// One event on its way to the app, and one assigned partition with the events that are on their
// way.
//
// Plain bookkeeping of a Subscription. Thread: the deliver flow's. Lifetime: a Partition from its
// assignment until it is given back; a Delivery from its fetch until it is settled or its partition
// goes.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "base/loop.h"
#include "deliver/lag.h"
#include "deliver/lanes.h"
#include "deliver/offsets.h"
#include "deliver/verdict.h"
#include "event/event.h"
#include "kafka/consumer.h"
#include "telemetry/series.h"

namespace outrigger::deliver {

struct Partition;

struct Delivery : Lanes::Item {
  uint64_t id = 0;  // never used twice
  Partition* home = nullptr;
  kafka::Consumed record;
  event::Event event;
  uint64_t call = 0;  // of the HTTP client, while in flight
  base::TimePoint fetched;
  base::WallTime first_tried{};
  Verdict failed;                // the last verdict
  std::string answer;            // of the app with it, an excerpt
  base::TimePoint next_try{};    // once its count is committed
  uint64_t counted_version = 0;  // of the partition's offsets, with this event's count in it
  base::Timer again;             // the next try to get its dead letter into Kafka
};

struct Partition {
  kafka::TopicPartition at;
  uint64_t epoch = 0;
  uint64_t number = 0;  // the lanes' name of it
  PartitionOffsets offsets;
  std::map<int64_t, std::unique_ptr<Delivery>> deliveries;  // unsettled, by offset
  const telemetry::ConsumerTopic* topic = nullptr;
  telemetry::ConsumerPartition series;
  LagAge lag_age;
  bool paused = false;
  bool metadata_full = false;
  bool retired = false;  // of a topic that is gone: delivered from memory, never committed
  bool committing = false;
  std::vector<uint64_t> awaiting_commit;  // deliveries whose next try waits for their count
  std::function<void()> settled;          // set: revoked, to be called when nothing is in flight
  base::TimePoint give_by;                // … and by then without
  base::Timer drain;

  bool revoked() const { return settled != nullptr; }
};

}  // namespace outrigger::deliver
