// What waits for one partition, and which of it is in librdkafka's hands: at most one undecided
// batch.
//
// Pure bookkeeping, no librdkafka. Thread: the flow's.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "kafka/packed_headers.h"
#include "kafka/producer.h"

namespace outrigger::kafka {

class Topic;
struct PartitionQueue;

// A record from Produce to its report.
struct Entry {
  event::Record record;   // without its headers
  PackedHeaders headers;  // those
  OnReport on_report;
  Topic* topic = nullptr;
  PartitionQueue* queue = nullptr;
  size_t bytes = 0;    // an upper bound of what it takes in a batch
  size_t memory = 0;   // what it takes while it waits, with all that is kept for it elsewhere
  uint64_t order = 0;  // of Produce
  size_t slot = 0;     // its place in the batch
  bool maybe_stored = false;  // a try failed without a word on whether Kafka has it
  int error = 0;  // rd_kafka_resp_err_t of a failed delivery, while its batch is undecided

  // The record with its headers.
  event::Record Whole() const {
    event::Record whole = record;
    whole.headers = headers.Unpack();
    return whole;
  }
};

// What is kept for a record while it waits, beside its own bytes: the entry and the allocator's
// share, and the publisher's outcome, waiter and known id. Measured by tests/system/memory_test.py.
// What librdkafka copies, a batch for each partition at most, comes on top.
inline constexpr size_t kEntryMemory = kLeastMemory;

inline size_t MemoryOf(const event::Record& record) {
  return kEntryMemory + record.topic.capacity() + (record.key ? record.key->capacity() : 0) +
         (record.value ? record.value->capacity() : 0) + PackedHeaders::SizeOf(record.headers);
}

struct BatchLimits {
  size_t records = 10'000;
  size_t bytes = 900'000;
};

struct PartitionQueue {
  int32_t partition = 0;
  std::deque<Entry*> waiting;
  std::vector<Entry*> batch;  // in librdkafka's hands, in order; null where reported
  size_t undecided = 0;       // of the batch
  size_t alone = 0;           // so many of the first in `waiting` go one by one
  bool known = false;         // the broker has a sequence number to check the next request against
  bool dirty = false;         // in the producer's list of queues to serve
  base::TimePoint acked_at;   // the last acknowledgement
  base::TimePoint handed_at;  // of the batch
  int stalls = 0;             // how often in a row the batch was undecided for too long

  bool idle() const { return batch.empty(); }

  // Moves the next batch from `waiting` to `batch`: in order, within the limits, at least one
  // record; one alone where the last batch was refused, where the record alone is over the bytes,
  // and until the broker knows this client's sequence numbers.
  void FormBatch(const BatchLimits& limits) {
    assert(idle());
    const size_t most = alone > 0 || !known ? 1 : limits.records;
    size_t bytes = 0;
    while (!waiting.empty() && batch.size() < most) {
      Entry* next = waiting.front();
      if (!batch.empty() && bytes + next->bytes > limits.bytes) break;
      bytes += next->bytes;
      waiting.pop_front();
      next->slot = batch.size();
      next->error = 0;
      batch.push_back(next);
    }
    if (alone > 0) --alone;
    undecided = batch.size();
  }

  // Puts those of the batch that are not reported back to the front of `waiting`, in order, and
  // ends the batch. Returns how many there were.
  size_t TakeBack() {
    size_t count = 0;
    for (auto entry = batch.rbegin(); entry != batch.rend(); ++entry) {
      if (!*entry) continue;
      waiting.push_front(*entry);
      ++count;
    }
    batch.clear();
    undecided = 0;
    return count;
  }

  // TakeBack when the client that has the batch is replaced: Kafka may have what is not answered,
  // and does not know the next client.
  size_t TakeBackUnanswered() {
    for (Entry* entry : batch)
      if (entry) entry->maybe_stored = true;
    known = false;
    return TakeBack();
  }

  // Puts the batch's records from the `first` on, of which librdkafka took none, back likewise; the
  // others stay in the batch.
  void TakeBackFrom(size_t first) {
    assert(first < batch.size() && undecided >= batch.size() - first);
    const auto begin = batch.begin() + static_cast<long>(first);
    undecided -= batch.size() - first;
    waiting.insert(waiting.begin(), begin, batch.end());
    batch.resize(first);
  }

  // The first `count` of those that wait; they are the caller's now.
  std::vector<Entry*> TakeFirst(size_t count) {
    assert(count <= waiting.size());
    const auto end = waiting.begin() + static_cast<long>(count);
    std::vector<Entry*> taken(waiting.begin(), end);
    waiting.erase(waiting.begin(), end);
    return taken;
  }
};

}  // namespace outrigger::kafka
