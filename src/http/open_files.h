// How many files the process may have open at once, sockets too, and how they are shared out.
#pragma once

#include <cstdint>

namespace outrigger::http {

// RLIMIT_NOFILE, as it is now.
uint64_t MaxOpenFiles();
// How many of them the connections of the app leave for Kafka, probes and the connections to the
// app: a quarter, at most 64.
uint64_t SpareFiles();

}  // namespace outrigger::http
