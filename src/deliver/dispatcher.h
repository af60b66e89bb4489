// What goes to the app next, and what a result means: key queues, circuit, concurrency and retries
// of one subscription.
//
// Promises: of one key one event is out at a time, in the order of offsets; nothing begins whose
// outcome might not fit into the commit's metadata; try n begins when the count n-1 is committed
// (Committed); an event leaves only by Settle or Remove, and nothing is told to be settled without
// a verdict of the app, or a dead-letter record.
//
// The owner adds events, sends what Next gives, reports each result once, and after every call that
// changes something takes what was decided (TakeDecided) and asks Next again.
//
// Pure: no socket, no Kafka; time is passed in and does not run backwards. Thread: the deliver
// flow's. Lifetimes: Events and Partitions are the owner's and outlive their stay; Remove takes a
// partition's events out. Cost: as KeyQueues and AppCircuit.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "deliver/attempt_result.h"
#include "deliver/circuit.h"
#include "deliver/concurrency.h"
#include "deliver/key_queues.h"
#include "deliver/metadata_room.h"
#include "deliver/offsets.h"
#include "deliver/retry.h"

namespace outrigger::deliver {

struct DispatchPolicy {
  Ordering ordering = Ordering::kKey;
  size_t concurrency = 64;
  RetryPolicy retry;
  CircuitPolicy circuit;
};

class Dispatcher {
 public:
  struct Event;

  // An assigned partition, as far as the subscription takes its events.
  struct Partition {
    uint64_t number = 0;  // of the assignment, never used twice
    PartitionOffsets offsets;
    const MetadataRoom* room = nullptr;
    bool revoked = false;  // nothing of it begins any more
    size_t in_flight = 0;
    std::map<int64_t, Event*> waiting_for_room;  // those that MetadataRoom refused
    std::vector<Event*> awaiting_commit;         // whose next try waits for their count
  };

  struct Event : KeyQueues::Item {
    uint64_t id = 0;  // given by Add, never used twice
    Partition* home = nullptr;
    uint64_t circuit_key = 0;
    Verdict verdict;               // the last one
    base::TimePoint begun;         // the last attempt
    base::TimePoint next_try{};    // once its count is committed
    uint64_t counted_version = 0;  // of the partition's offsets, with this event's count in it
  };

  enum class What {
    kDelivered,
    kDropped,
    kGivenUp,  // for the dead-letter topic; it is parked until Settle or RetryGivenUp
    kRetried,  // an attempt more is counted; the next one is arranged for
    kNoted,  // it goes on, but its partition has changed: attempts are not counted any more, or it
             // waits for room in the metadata
  };
  struct Decided {
    Event* event;
    What what;
  };

  Dispatcher(const DispatchPolicy& policy, Random random);

  // An event whose home, offset and key are set; unsettled in its home's offsets. One that can't be
  // read at all has its verdict already, and is given up when it is its turn.
  void Add(Event& event, base::TimePoint now);
  // Null: it has left.
  Event* Find(uint64_t id) const;

  // The event to attempt now, in flight from here on; null: none.
  Event* Next(base::TimePoint now);
  // What came of the attempt; `event.verdict` gets its verdict.
  void OnResult(Event& event, AttemptResult&& result, base::TimePoint now);
  // It could not even be sent, and no later try will change that.
  void OnUnsendable(Event& event, Verdict verdict);

  // Time has passed: call it at NextWake.
  void OnTime(base::TimePoint now) { Apply(circuit_.OnTime(now), now); }
  std::optional<base::TimePoint> NextWake(base::TimePoint now) const;
  // As AppCircuit has them.
  bool TakeProbe(base::TimePoint now) { return circuit_.TakeProbe(now); }
  void OnProbe(AppCircuit::Probe result, base::TimePoint now) {
    Apply(circuit_.OnProbe(result, now), now);
  }
  void OnUnhealthy(base::TimePoint now) { Apply(circuit_.OnUnhealthy(now), now); }

  // What was decided since the last call, in order; `into` is emptied first.
  void TakeDecided(std::vector<Decided>& into);
  bool has_decided() const { return !decided_.empty(); }

  // An event that was given up and for which there is no dead-letter topic goes on waiting, and is
  // tried now and then. One that can't be read stays where it is.
  void RetryGivenUp(Event& event, base::TimePoint now);
  // The event is done with: it leaves.
  void Settle(Event& event);
  // Every event of the partition leaves, settled none.
  void Remove(Partition& partition);

  // The counts of `version` are committed, or need not be waited for any longer.
  void Committed(Partition& partition, uint64_t version);
  // What settled, here or in another subscription, has made room in the next commit's metadata.
  // True: something may begin now.
  bool UseRoom(Partition& partition);

  AppCircuit::State state() const { return circuit_.state(); }
  size_t in_flight() const { return queues_.in_flight(); }

 private:
  bool Begin(Event& event, base::TimePoint now);
  void Adapt(const Event& event, AppCircuit::Kind kind, bool overloaded, base::TimePoint now);
  void Rule(Event& event, AppCircuit::Fate fate, base::TimePoint now);
  void Apply(const AppCircuit::Decision& decision, base::TimePoint now);
  void Retry(Event& event, base::TimePoint now);
  void GiveUp(Event& event);
  void FollowCircuit();

  const RetryPolicy retry_;
  Random random_;
  KeyQueues queues_;
  AppCircuit circuit_;
  Concurrency concurrency_;
  std::unordered_map<uint64_t, Event*> events_;  // by id
  std::vector<Decided> decided_;
  uint64_t next_id_ = 1;
};

}  // namespace outrigger::deliver
