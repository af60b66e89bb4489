// One record in the spool: what its columns hold, and their checksum.
//
// A plain value; pure. Format: SCHEMA.md in this folder.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "event/event.h"

namespace outrigger::store {

struct Row {
  int64_t id = 0;  // given by the store; in the order of acceptance
  std::string event_id;
  std::string source;        // empty: the id was not chosen by the caller
  int32_t target = 0;        // its place among the targets of its event
  uint64_t fingerprint = 0;  // of what the event says; 0: not known
  event::Record record;
  std::string dead_letter;  // the topic for what Kafka rejects for good; empty: none
  int64_t accepted_ms = 0;  // since 1970

  size_t bytes() const {
    return event_id.size() + source.size() + record.bytes() + dead_letter.size();
  }
};

std::string EncodeHeaders(const std::vector<event::Header>& headers);
// nullopt: these are no headers.
std::optional<std::vector<event::Header>> DecodeHeaders(std::string_view bytes);

// The CRC-32 (zlib's) of a row's columns; `headers` as they are encoded.
uint32_t ChecksumOf(const Row& row, std::string_view headers);

}  // namespace outrigger::store
