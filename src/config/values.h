// The formats of config values: durations, sizes, numbers, addresses.
//
// Thread: any; plain functions. A parse that fails says what was expected, never where: the caller
// knows the place.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace outrigger::config {

// At most 60 characters of `text`, control characters as "?"; Quoted adds `…` around it.
std::string Excerpt(std::string_view text);
std::string Quoted(std::string_view text);

// "250ms", "5s", "1m30s". Units: ms, s, m, h, each at most once and from large to small.
base::Result<std::chrono::milliseconds> ParseDuration(std::string_view text);
std::string ShowDuration(std::chrono::milliseconds duration);

// "1MiB", "500B", "1MB"; a bare number is bytes.
base::Result<uint64_t> ParseSize(std::string_view text);
std::string ShowSize(uint64_t bytes);

// RFC 3339: "2026-11-23T20:15:30Z", "2026-11-23T20:15:30.123+02:00". A leap second is an error.
std::optional<std::chrono::system_clock::time_point> ParseRfc3339(std::string_view text);

std::optional<uint64_t> ParseWhole(std::string_view text);
std::optional<double> ParseNumber(std::string_view text);

// Whether `text` is a number as JSON writes it.
bool IsJsonNumber(std::string_view text);

// "127.0.0.1:8800", "[::1]:0", "localhost:8800": where a port listens.
struct Listen {
  std::string host;
  uint16_t port = 0;
  bool loopback = false;
};
base::Result<Listen> ParseListen(std::string_view text);

// "kafka:9092", "10.0.0.1", "[::1]:9092". Nothing when it is one, else what is wrong with it.
std::optional<base::Error> CheckBroker(std::string_view text);

// Nothing when `text` is UTF-8 without control characters: it is used in logs, headers and
// attributes.
std::optional<base::Error> CheckPrintable(std::string_view text);

// Kafka's rule for topic names. Nothing when `name` obeys it and does not start with "__".
std::optional<base::Error> CheckTopicName(std::string_view name);

// "`a`, `b` or `c`"
std::string Listed(const std::vector<std::string>& names);

}  // namespace outrigger::config
