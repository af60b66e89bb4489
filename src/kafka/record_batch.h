// The records that were fetched and are passed on in one piece.
//
// Thread: the loop's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kafka/consumer.h"

namespace outrigger::kafka {

class RecordBatch {
 public:
  explicit RecordBatch(size_t most_bytes) : most_bytes_(most_bytes) {}

  void Add(const rd_kafka_message_t& message, TopicPartition at, uint64_t epoch);
  std::vector<Consumed> Take();

  bool empty() const { return records_.empty(); }
  bool full() const;
  // What a record of the last batch took in memory, or a guess before any has come.
  size_t usual_bytes() const { return usual_bytes_; }

 private:
  const size_t most_bytes_;
  std::vector<Consumed> records_;
  size_t bytes_ = 0;
  size_t usual_bytes_ = 1024;
};

}  // namespace outrigger::kafka
