// How many files the process may have open at once, sockets too, and how they are shared out.
#pragma once

#include <cstdint>

namespace outrigger::http {

// RLIMIT_NOFILE, as it is now.
uint64_t MaxOpenFiles();
// What of them the app's connections to us leave to Kafka, to probes and to our connections to it:
// a quarter, at most 64.
uint64_t SpareFiles();

}  // namespace outrigger::http
