// What bounds the memory of one consumer's fetched records, as librdkafka's properties.
//
// librdkafka asks for more while its one queue, of all partitions together, holds less than
// `queued_bytes` and `queued_records`, and each broker may then answer with `fetch_bytes`: with a
// batch of records at least, however large. The bytes are those of values; keys, headers and what
// an entry takes are bounded by the number of records.
//
// Pure. Thread: any. Source: librdkafka 2.15 CONFIGURATION.md and rd_kafka_toppar_fetch_decide.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "config/config.h"

namespace outrigger::kafka {

struct FetchBounds {
  uint64_t queued_bytes = 16 << 20;
  uint64_t queued_records = 1000;
  uint64_t fetch_bytes = 8 << 20;      // of an answer
  uint64_t partition_bytes = 1 << 20;  // … of a partition in it
  uint64_t receive_bytes = 100'000'000;
  uint64_t passed_on = 1 << 20;  // to the flow in one piece, before it can say that it has enough

  // For a consumer that may hold `share` bytes, and a process that may hold `budget`. More than the
  // defaults above helps nobody.
  static FetchBounds Of(uint64_t share, uint64_t budget);
};

// The properties that the bounds stand for, by name. Where the config sets one of them, its value
// is left out here, and the others agree with it.
std::vector<std::pair<std::string, std::string>> FetchProperties(const FetchBounds& bounds,
                                                                 const config::Kafka& kafka);

// Warnings: the properties of the config that allow more than the bounds.
std::vector<config::Problem> CheckFetchProperties(const FetchBounds& bounds,
                                                  const config::Kafka& kafka);

}  // namespace outrigger::kafka
