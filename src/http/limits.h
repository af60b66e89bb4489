// What a server lets its clients use: bytes, connections and time.
//
// A plain value. Each refusal names the config field of the limit that it is for.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace outrigger::http {

struct Limits {
  uint64_t max_header = 16 << 10;
  uint64_t max_body = 1 << 20;
  // Of all bodies together, beyond the first 16 KiB of each, so that a small body always has room.
  uint64_t max_bodies = 64 << 20;
  // Of all answers together that are being made or wait for their clients to read them, beyond the
  // first 16 KiB of each.
  uint64_t max_answers = 32 << 20;
  // The fields that refusals name for these two: `prefix` goes before a name without a dot.
  std::string bodies_limit = "maxBodies";
  std::string answers_limit = "maxAnswers";
  uint64_t max_trailer = 8 << 10;  // trailers and chunk extensions together
  uint32_t max_connections = 1024;
  std::chrono::milliseconds head_timeout{5000};
  std::chrono::milliseconds body_timeout{10000};
  std::chrono::milliseconds idle_timeout{60000};
  // The descriptors of the process that are left for others: a connection that would use one of
  // them is one too many.
  uint64_t spare_files = 0;
  std::string prefix = "http";  // of the config fields that refusals name: http.maxBody

  std::string FieldOf(const std::string& limit) const {
    return limit.find('.') == std::string::npos ? prefix + "." + limit : limit;
  }
};

}  // namespace outrigger::http
