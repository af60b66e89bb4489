// The process's one memory budget, and what each of its shares may hold.
//
// A share bounds what its owner counts: records with what is kept for them, bodies, answers, fetch
// queues. Half of a container's limit is left to the rest: the program itself, the kernel's socket
// buffers, what librdkafka copies to send it, what the allocator can't return yet.
//
// Pure. Bytes. Thread: any. Source: contract section 5, "Memory is bounded for the process as a
// whole". The shares, what they count and what a full one does: README.md in this folder.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace outrigger::base {

enum class MemoryShare {
  kKafka,        // published events that Kafka has not acked
  kDeadLetters,  // dead-letter records that Kafka has not acked
  kKnownEvents,  // ids of events that were acked lately
  kApplication,  // consumed events that the application has not settled
  kBodies,       // request bodies that are being read
  kAnswers,      // answers that are being made or read
  kFetch,        // librdkafka's fetch queues
  kSpool,        // events on their way to the disk, and pages of the spool's file
  kCount
};
inline constexpr size_t kMemoryShares = static_cast<size_t>(MemoryShare::kCount);

// "kafka", "dead_letters", …: in metrics and in /status.
const char* NameOf(MemoryShare share);

// What the config asks of the memory.
struct MemoryDemand {
  size_t groups = 0;         // consumers, each with a fetch queue of its own
  size_t subscriptions = 0;  // each with events that wait for the application
  uint64_t largest_event = 1 << 20;
  bool spool = false;
};

class MemoryBudget {
 public:
  // Where nothing limits the container.
  static constexpr uint64_t kUnlimited = 256 << 20;

  MemoryBudget(uint64_t total, const MemoryDemand& demand);

  // Half of the container's limit (nothing: it has none), or the least that works, if it is more
  // and three quarters of the limit allow it.
  static MemoryBudget ForContainer(std::optional<uint64_t> limit, const MemoryDemand& demand);

  // The least that works: every share has room for the largest event, and every group for a fetch.
  static uint64_t Least(const MemoryDemand& demand);

  uint64_t total() const { return total_; }
  uint64_t of(MemoryShare share) const { return shares_[static_cast<size_t>(share)]; }
  uint64_t fetch_of_group() const { return fetch_of_group_; }
  uint64_t application_of_subscription() const { return application_of_subscription_; }

 private:
  uint64_t total_;
  std::array<uint64_t, kMemoryShares> shares_;
  uint64_t fetch_of_group_;
  uint64_t application_of_subscription_;
};

}  // namespace outrigger::base
