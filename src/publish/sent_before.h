// Which rows of an earlier run Kafka has already, by what was read back of its topics.
//
// Only an event that its record names, by its id, can be known again: two equal records without one
// may be two. And what is skipped leaves no later record of a key in Kafka before an earlier one.
// So once a row of a key is sent, all behind it are; it may be in Kafka too, but was not read back,
// since it was compacted or is beyond the limits. And a row that Kafka has only before what was
// skipped last is sent: an earlier run had begun to send them again.
//
// Pure. Thread: the loop's.
#pragma once

#include <optional>
#include <unordered_map>
#include <vector>

#include "kafka/tail_reader.h"
#include "store/row.h"

namespace outrigger::publish {

class SentBefore {
 public:
  SentBefore() = default;
  explicit SentBefore(std::vector<kafka::TailRecord> tail);

  // Asked of each row that is about to be sent, of a key in their order. Where Kafka has it; a
  // record of Kafka is that of one row. Nothing: the row is sent.
  std::optional<kafka::Stored> Take(const store::Row& row);

 private:
  // The records of one digest, in order.
  struct Copies {
    size_t next = 0;  // the first that is not yet taken for a row
    size_t end = 0;
  };

  Copies Find(const event::RecordDigest& digest) const;
  bool KeepsOrder(const event::RecordDigest& digest, const kafka::Stored& latest);

  std::vector<kafka::TailRecord> tail_;  // in order
  std::vector<bool> taken_;
  // By RecordDigest::key, of those in Kafka: the last that was skipped.
  std::unordered_map<uint64_t, kafka::Stored> skipped_;
};

}  // namespace outrigger::publish
