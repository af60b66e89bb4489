// Requests made before the clock runs, each a head, a block that may repeat, and a tail.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace outrigger::bench {

struct Request {
  std::string head;   // all of it, for a request that does not stream
  std::string block;  // repeated while the stream lasts
  std::string tail;
  uint64_t events = 0;  // of the head, or of each block

  bool streams() const { return !block.empty(); }
};

// One event of each key as application/json.
std::vector<Request> SingleRequests(const std::string& type, size_t keys);

// CloudEvents batches of `size` events that go round the keys.
std::vector<Request> BatchRequests(const std::string& type, size_t keys, size_t size);

// One chunked NDJSON request whose block is a chunk of at least 64 KiB of lines that go round the
// keys.
Request LineStream(const std::string& type, size_t keys);

}  // namespace outrigger::bench
