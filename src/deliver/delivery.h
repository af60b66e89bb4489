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
#include <optional>
#include <set>
#include <string>
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
  base::TimePoint begun;  // the call
  base::WallTime first_tried{};
  Verdict failed;                // the last verdict
  std::string answer;            // of the app with it, an excerpt
  base::TimePoint next_try{};    // once its count is committed
  uint64_t counted_version = 0;  // of the partition's offsets, with this event's count in it
  base::Timer again;             // the next try to get its dead letter into Kafka
  uint32_t refused = 0;          // … by so many before
  size_t stuck_bytes = 0;        // what it holds in memory meanwhile; the lanes don't count it then
};

struct Partition {
  // A commit that Kafka has not answered yet.
  struct Committing {
    uint64_t version = 0;  // of `offsets`
    size_t metadata = 0;   // bytes
    base::TimePoint since;
  };

  kafka::TopicPartition at;
  uint64_t number = 0;  // its epoch, and the lanes' name of it
  PartitionOffsets offsets;
  std::map<int64_t, std::unique_ptr<Delivery>> deliveries;  // unsettled, by offset
  // When records that did not come yet were tried first, before this assignment.
  std::map<int64_t, base::WallTime> first_tries;
  const telemetry::ConsumerTopic* topic = nullptr;
  telemetry::ConsumerPartition series;
  LagAge lag_age;
  bool paused = false;
  bool retired = false;  // of a topic that is gone: delivered from memory, never committed
  bool metadata_full = false;
  std::set<int64_t> waiting_for_room;  // offsets that PartitionOffsets::MayBegin refused
  std::optional<int64_t> lag;          // as last known
  std::optional<Committing> committing;
  base::Duration commit_wait{};           // after refusals in a row
  base::TimePoint commit_at{};            // … and so not before
  std::string commit_refused;             // why its last commit was; empty: it was not
  size_t stuck_bytes = 0;                 // of its deliveries
  std::vector<uint64_t> awaiting_commit;  // deliveries whose next try waits for their count
  std::function<void()> settled;          // set: revoked, to be called when nothing is in flight
  base::TimePoint give_by;                // … and by then without, but for the last commit
  base::Timer drain;

  // Of what would be fetched now nothing could be tried.
  bool full() const { return metadata_full || !waiting_for_room.empty(); }
  bool revoked() const { return settled != nullptr; }
  // From what an earlier assignment committed, and what is committed next.
  void Restore(Progress progress);
  Progress progress() const;
};

}  // namespace outrigger::deliver
