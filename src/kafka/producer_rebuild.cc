// A new handle for one that is of no use any more: after a fatal error, or where it is stuck.
#include <algorithm>

#include "kafka/error_table.h"
#include "kafka/producer_core.h"

namespace outrigger::kafka {
namespace {

using telemetry::Level;
using telemetry::Log;

// What is on the wire gets so long to be answered before it is sent again.
constexpr base::Duration kSettle = std::chrono::seconds(1);
// Between handles that fail one after the other, none of which got a record acked.
constexpr base::Duration kFirstBackoff = std::chrono::seconds(1);
constexpr base::Duration kLongestBackoff = std::chrono::seconds(30);
// A stall must be seen in what a recent lookup said.
constexpr auto kRecent = std::chrono::seconds(3);
constexpr base::Duration kRarestRebuild = std::chrono::minutes(10);

base::Duration Doubled(base::Duration first, int times, base::Duration most) {
  return std::min<base::Duration>(first * (1 << std::min(times, 10)), most);
}

bool Idle(const Topic& topic) {
  return std::all_of(topic.partitions.begin(), topic.partitions.end(),
                     [](const auto& queue) { return queue->idle(); });
}

}  // namespace

void Producer::Core::OnFatal(const Handle::Fatal& why) {
  if (std::exchange(fatal_, true)) return;
  base::Duration wait = kSettle;
  if (++failures_ > 1) {
    wait = Doubled(kFirstBackoff, failures_ - 2, kLongestBackoff);
    Refusal refusal = ClientRefusal(why.error, why.text);
    fatal_text_ = refusal.error.message + "; " + refusal.error.hint;
    if (refusal.reason == Reason::kUnauthorized) {
      denied_ = std::move(refusal);
      loop_.Post([this, alive = alive_] {
        if (*alive && denied_) RefuseAll(*denied_);
      });
    }
    Log(Level::kWarn, "the Kafka client has a fatal error again; the next one is built in a while",
        {{"error", fatal_text_},
         {"seconds",
          std::to_string(std::chrono::duration_cast<std::chrono::seconds>(wait).count())}});
    ShowRefusals();
  }
  RebuildAfter(wait, why.text);
  RebuildWhenDecided();
}

void Producer::Core::RebuildAfter(base::Duration wait, std::string why) {
  rebuild_why_ = std::move(why);
  rebuild_ = loop_.After(wait, [this] { Rebuild(); });
}

// No longer than needed is waited for what is on the wire; a client that failed before waits for
// its time.
void Producer::Core::RebuildWhenDecided() {
  if (failures_ > 1) return;
  for (const auto& [name, topic] : topics_)
    if (!Idle(*topic)) return;
  RebuildAfter({}, rebuild_why_);
}

void Producer::Core::Rebuild() {
  // Reports that are already here need not be sent again.
  OnEvents();
  auto handle = Handle::Producer(options_.kafka);
  if (!handle) {
    Log(Level::kError, "a new Kafka client can't be made; trying again in a second",
        {{"error", handle.error().message}});
    return RebuildAfter(std::chrono::seconds(1), rebuild_why_);
  }
  size_t again = 0;
  for (const auto& [name, topic] : topics_)
    for (const auto& queue : topic->partitions) {
      for (Entry* entry : queue->batch)
        if (entry) entry->maybe_stored = true;
      again += queue->TakeBack();
      queue->known = false;
      if (!topic->placed) GatherLater(*topic);
    }
  Log(Level::kWarn, "the Kafka client was replaced; what was not acked is sent again",
      {{"error", rebuild_why_}, {"events", std::to_string(again)}});
  rd_kafka_queue_io_event_enable(handle_->queue(), -1, nullptr, 0);
  lookup_->Retire(std::move(handle_));
  handle_ = std::move(*handle);
  fatal_ = false;
  rebuilt_at_ = loop_.Now();
  ++rebuilds_;
  Listen();
  if (auto denied = std::exchange(denied_, std::nullopt)) RefuseAll(*denied);
  ServeAll();
}

// All that is not in librdkafka's hands; that comes back by reports.
void Producer::Core::RefuseAll(const Refusal& refusal) {
  // A report may end what it refers to.
  const Refusal why = refusal;  // NOLINT(performance-unnecessary-copy-initialization)
  std::vector<Entry*> refused;
  for (const auto& [name, topic] : topics_) {
    refused.insert(refused.end(), topic->unplaced.begin(), topic->unplaced.end());
    topic->unplaced.clear();
    for (const auto& queue : topic->partitions) {
      refused.insert(refused.end(), queue->waiting.begin(), queue->waiting.end());
      queue->waiting.clear();
    }
  }
  for (Entry* entry : refused) Refuse(entry, why);
}

// librdkafka can wait for ever for what is not going to come: it believes no leader of an older
// epoch, which is what a topic has that was deleted and created again. Such a batch is undecided
// although its partition has a leader.
void Producer::Core::LookForStalls() {
  if (fatal_ || !connection_.connected) return;
  const base::TimePoint now = loop_.Now();
  for (const auto& [name, topic] : topics_)
    for (const auto& queue : topic->partitions) {
      if (queue->idle()) continue;
      // Not all clients of a cluster at once.
      const auto patience = Doubled(options_.stalled_after, queue->stalls, kRarestRebuild);
      if (now - queue->handed_at < patience + patience / 256 * jitter_) continue;
      if (now - topic->looked_up > kRecent) {
        Ask(*topic);
        continue;
      }
      const auto partition = static_cast<size_t>(queue->partition);
      if (partition >= topic->led.size() || !topic->led[partition]) continue;
      ++queue->stalls;
      fatal_ = true;
      return RebuildAfter(kSettle, "no answer for long from the leader of " + name + "/" +
                                       std::to_string(queue->partition));
    }
}

}  // namespace outrigger::kafka
