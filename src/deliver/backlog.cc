#include "deliver/backlog.h"

#include <cassert>
#include <utility>

namespace outrigger::deliver {
namespace {

// What a delivery costs beside its record: its objects, its places in maps, a key queue.
constexpr size_t kDeliveryBytes = 2048;
// librdkafka fetches ahead up to a count where most of the bytes are headers, which it does not
// count: with deliveries as large as this there is no time for patience.
constexpr size_t kHeavy = 64 << 10;
constexpr auto kPatience = std::chrono::milliseconds(250);

}  // namespace

Backlog::Backlog(base::Loop& loop, size_t max_bytes, std::function<void()> on_over)
    : loop_(loop), max_bytes_(max_bytes), on_over_(std::move(on_over)) {}

void Backlog::Add(Delivery& delivery) {
  Fetched& fetched = *delivery.fetched;
  delivery.waits = true;
  ++deliveries_;
  ++fetched.holders;
  const size_t before = std::exchange(fetched.counted, fetched.bytes());
  bytes_ += kDeliveryBytes + fetched.counted - before;
}

void Backlog::Remove(Delivery& delivery) {
  if (!std::exchange(delivery.waits, false)) return;
  Fetched& fetched = *delivery.fetched;
  assert(deliveries_ > 0 && bytes_ >= kDeliveryBytes);
  --deliveries_;
  bytes_ -= kDeliveryBytes;
  if (--fetched.holders > 0) return;
  bytes_ -= std::exchange(fetched.counted, 0);
  if (delivery.fetched.use_count() > 1) fetched.DropEvents();
}

void Backlog::SetStuck(SubscribedPartition& partition, size_t bytes) {
  stuck_bytes_ += bytes - std::exchange(partition.stuck_bytes, bytes);
}

void Backlog::Update() {
  const size_t room = Room();
  if (!full_ && bytes_ >= room) {
    full_ = true;
    const bool heavy = bytes_ / deliveries_ > kHeavy;
    patience_ = loop_.After(heavy ? base::Duration::zero() : kPatience, [this] {
      over_ = true;
      on_over_();
    });
  } else if (full_ && bytes_ < room / 10 * 9) {
    full_ = false;
    patience_.Cancel();
  }
  if (over_ && bytes_ < room / 2) over_ = false;
}

}  // namespace outrigger::deliver
