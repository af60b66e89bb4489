#include "base/memory_budget.h"

#include <algorithm>
#include <numeric>

namespace outrigger::base {
namespace {

using Parts = std::array<uint64_t, kMemoryShares>;

// In the order of MemoryShare. Without subscriptions nothing is consumed, and what waits for Kafka
// has their parts, too. With a spool less has to wait in memory.
constexpr uint64_t kWhole = 64;
constexpr Parts kWithSubscriptions = {10, 5, 2, 15, 16, 8, 8, 0};
constexpr Parts kPublishingOnly = {38, 0, 2, 0, 16, 8, 0, 0};
constexpr Parts kSpoolAndSubscriptions = {8, 5, 2, 12, 16, 8, 8, 5};
constexpr Parts kSpoolOnly = {28, 0, 2, 0, 16, 8, 0, 10};

constexpr uint64_t Sum(const Parts& parts) {
  return std::accumulate(parts.begin(), parts.end(), uint64_t{0});
}
constexpr uint64_t PartOf(const Parts& parts, MemoryShare share) {
  return parts[static_cast<size_t>(share)];
}
static_assert(Sum(kWithSubscriptions) == kWhole && Sum(kPublishingOnly) == kWhole);
static_assert(Sum(kSpoolAndSubscriptions) == kWhole && Sum(kSpoolOnly) == kWhole);
// An event of the largest size is as welcome to the dead letters as it was to be published.
static_assert(PartOf(kWithSubscriptions, MemoryShare::kDeadLetters) <=
              PartOf(kSpoolAndSubscriptions, MemoryShare::kKafka));

// One topic may have half of what waits for Kafka, and one event all of that half.
constexpr uint64_t kTopics = 2;
// What is kept for an event beside its own bytes, its headers included.
constexpr uint64_t kBesideAnEvent = 16 << 10;
// A group's fetch queue, and a subscription's events. A broker answers a fetch with one batch of
// records at least, a MiB as a rule, whatever was asked for.
constexpr uint64_t kLeastFetch = 512 << 10;
constexpr uint64_t kLeastWaiting = 512 << 10;
constexpr uint64_t kMebibyte = 1 << 20;

constexpr uint64_t WholeOf(uint64_t part, uint64_t parts) {
  const uint64_t whole = (part * kWhole + parts - 1) / parts;
  return (whole + kMebibyte - 1) / kMebibyte * kMebibyte;
}

const Parts& PartsFor(const MemoryDemand& demand) {
  if (demand.spool) return demand.groups > 0 ? kSpoolAndSubscriptions : kSpoolOnly;
  return demand.groups > 0 ? kWithSubscriptions : kPublishingOnly;
}

}  // namespace

const char* NameOf(MemoryShare share) {
  static constexpr std::array<const char*, kMemoryShares> kNames = {
      "kafka",  "dead_letters", "known_events", "application",
      "bodies", "answers",      "fetch",        "spool"};
  return kNames[static_cast<size_t>(share)];
}

MemoryBudget::MemoryBudget(uint64_t total, const MemoryDemand& demand) : total_(total) {
  const Parts& parts = PartsFor(demand);
  std::ranges::transform(parts, shares_.begin(),
                         [total](uint64_t part) { return total / kWhole * part; });
  fetch_of_group_ = of(MemoryShare::kFetch) / std::max<size_t>(demand.groups, 1);
  application_of_subscription_ =
      of(MemoryShare::kApplication) / std::max<size_t>(demand.subscriptions, 1);
}

MemoryBudget MemoryBudget::ForContainer(std::optional<uint64_t> limit, const MemoryDemand& demand) {
  const uint64_t least = Least(demand);
  if (!limit) return {std::max(kUnlimited, least), demand};
  return {std::max(*limit / 2, std::min(least, *limit / 4 * 3)), demand};
}

uint64_t MemoryBudget::Least(const MemoryDemand& demand) {
  const Parts& parts = PartsFor(demand);
  const uint64_t event = demand.largest_event + kBesideAnEvent;
  uint64_t least = std::max(WholeOf(event * kTopics, PartOf(parts, MemoryShare::kKafka)),
                            WholeOf(event, PartOf(parts, MemoryShare::kBodies)));
  if (demand.groups == 0) return least;
  least = std::max(least, WholeOf(event * kTopics, PartOf(parts, MemoryShare::kDeadLetters)));
  least = std::max(least, WholeOf(kLeastFetch * demand.groups, PartOf(parts, MemoryShare::kFetch)));
  return std::max(least, WholeOf(kLeastWaiting * demand.subscriptions,
                                 PartOf(parts, MemoryShare::kApplication)));
}

}  // namespace outrigger::base
