// Which event is tried next: one ordered queue for each key, all queues side by side.
//
// Only the head of a queue is in flight, waiting for its retry, or parked; what is behind it waits.
// Queues whose head may go take turns, first ready first served, so a hot key or one that fails
// costs the others nothing but its share of `concurrency`. A queue is made by its first event and
// freed behind its last. An event leaves by Done or RemovePartition and in no other way.
//
// What makes a queue: the ordering `key`: (partition, key), and an event without a key has one of
// its own; `partition`: the partition; `none`: each event. The same key on two partitions is two
// queues: Kafka orders within a partition only, and two topics' keys mean different things.
//
// Thread: the deliver flow's. Lifetime: Items are the caller's and stay where they are from Push
// until Done or RemovePartition; the scheduler keeps pointers and writes the `queue` part. Cost:
// O(1), or O(log n) where a time is involved; RemovePartition O(1) for each event that it drops.
// Source: contract section 4, "Order per key; different keys in parallel, on one partition too".
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/clock.h"

namespace outrigger::deliver {

enum class Ordering { kKey, kPartition, kNone };

class KeyQueues {
  struct Queue;

 public:
  struct Item {
    uint64_t partition = 0;  // the flow's number for topic, partition and epoch
    int64_t offset = 0;
    std::optional<std::string> key;

    bool in_flight() const { return state == State::kInFlight; }
    // Its partition was removed while it was in flight: the result is void.
    bool cancelled() const { return state == State::kCancelled; }

    // The scheduler's own.
    enum class State { kOut, kWaiting, kReady, kInFlight, kDelayed, kParked, kCancelled };
    State state = State::kOut;
    Queue* queue = nullptr;
  };

  KeyQueues(Ordering ordering, size_t concurrency)
      : ordering_(ordering), concurrency_(concurrency) {}
  KeyQueues(const KeyQueues&) = delete;
  KeyQueues& operator=(const KeyQueues&) = delete;
  ~KeyQueues();

  // Behind everything of its queue. A partition's events are pushed in the order of their offsets.
  void Push(Item* item);

  // The next event to try, now in flight; null: none may go now. Peek says which one Next would
  // give, so that the circuit is asked first.
  Item* Next(base::TimePoint now);
  Item* Peek(base::TimePoint now);

  // What became of a head that is in flight, parked or delayed. For an item that was cancelled each
  // of them does nothing.
  void Done(Item* item);  // settled: the queue goes on
  void RetryAt(Item* item, base::TimePoint when);
  void Park(
      Item* item);  // undecided: no longer in flight, goes nowhere until one of these is called
  enum class Turn { kFirst, kNext, kLast };
  // Not attempted: stays the head, before all ready queues (suspects) or behind all others (so that
  // the degraded circuit's probes go to changing keys).
  void PutBack(Item* item, Turn turn = Turn::kFirst);

  // The head that Peek gave goes behind all that has not failed, while failed_last; false: it is
  // there already, or nothing goes last now.
  bool Defer(Item* item);

  // While true, what has failed before goes behind all that has not, also behind what is yet to
  // come: the degraded circuit looks for an event that succeeds.
  void set_failed_last(bool last);

  // When a retry is due that is not ready yet.
  std::optional<base::TimePoint> NextWake() const;

  // Forgets every event of the partition and returns them, settled none. Those in flight are
  // flagged cancelled, and no longer count.
  std::vector<Item*> RemovePartition(uint64_t partition);

  // More than `limit` are never given out; a lower limit lets those in flight end.
  void set_concurrency(size_t limit) { concurrency_ = limit; }

  size_t in_flight() const { return in_flight_; }
  size_t waiting() const { return items_ - in_flight_; }  // delayed and parked ones too
  size_t queues() const { return queues_; }
  size_t events(uint64_t partition) const;

 private:
  using Ready = std::list<Queue*>;
  using Timers = std::multimap<base::TimePoint, Queue*>;

  struct Partition {
    std::unordered_map<std::string, Queue*> by_key;
    std::unordered_set<Queue*> queues;
    size_t events = 0;
  };
  struct Queue {
    uint64_t partition;
    std::optional<std::string> key;  // its place in Partition::by_key
    std::deque<Item*> items;
    Ready* list = nullptr;  // ready_ or last_, while it is in one
    Ready::iterator ready;
    Timers::iterator timer;
  };

  Queue* QueueFor(const Item& item);
  void Free(Queue* queue);
  void MakeReady(Queue* queue, Turn turn);
  static void Insert(Ready& list, Ready::iterator before, Queue* queue);
  // Takes the head out of whatever it is in: the ready list, the timers, the count in flight.
  void Withdraw(Item* head);
  void WakeDue(base::TimePoint now);

  Ordering ordering_;
  size_t concurrency_;
  std::unordered_map<uint64_t, Partition> partitions_;
  Ready ready_;
  Ready last_;  // behind all of ready_
  bool failed_last_ = false;
  Timers timers_;
  size_t in_flight_ = 0;
  size_t items_ = 0;
  size_t queues_ = 0;
};

}  // namespace outrigger::deliver
