#include "publish/read_back.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "telemetry/log.h"

namespace outrigger::publish {
namespace {

using telemetry::Level;
using telemetry::Log;

// In the oldest rows of the spool is the time from which on Kafka may have some.
constexpr size_t kOldestRows = 512;
constexpr size_t kOldestBytes = 1 << 20;
// A row is put on the disk up to spool.after later than it was sent, and a broker's clock may
// differ.
constexpr int64_t kEarlierMs = 120'000;

void Tell(const kafka::Tail& tail) {
  if (tail.error.empty() && tail.whole) return;
  const std::string why =
      !tail.error.empty() ? tail.error : "there is more in Kafka than can be read in time";
  Log(Level::kWarn,
      "what an earlier run sent can't all be read back: events that Kafka has may come twice",
      {{"reason", why},
       {"hint", tail.denied.empty()
                    ? ""
                    : "give the user of kafka.security an ACL with READ on " + tail.denied}});
}

}  // namespace

int64_t EarliestSent(const std::vector<store::Row>& oldest) {
  int64_t earliest = INT64_MAX;
  for (const store::Row& row : oldest) {
    earliest = std::min(earliest, row.accepted_ms);
    if (row.record.timestamp_ms > 0) earliest = std::min(earliest, row.record.timestamp_ms);
  }
  return std::max<int64_t>(earliest - kEarlierMs, 1);
}

ReadBack::ReadBack(store::Store& store, kafka::ReadTail read_tail, std::function<void()> on_over)
    : store_(store), read_tail_(std::move(read_tail)), on_over_(std::move(on_over)) {
  if (!read_tail_ || store.found().records == 0) phase_ = Phase::kOver;
}

bool ReadBack::Over() {
  if (phase_ == Phase::kIdle) {
    phase_ = Phase::kReading;
    store_.Read(0, kOldestRows, kOldestBytes, [this](const auto& oldest) { Ask(oldest); });
  }
  return phase_ == Phase::kOver;
}

void ReadBack::Ask(const base::Result<store::SpoolTable::Page>& oldest) {
  if (!oldest) return OnTail({});  // whoever drains will be told
  kafka::TailQuestion question;
  for (const auto& [topic, use] : store_.found().topics) question.topics.push_back(topic);
  question.since_ms = EarliestSent(oldest->rows);
  read_tail_(std::move(question), [this](kafka::Tail tail) { OnTail(std::move(tail)); });
}

void ReadBack::OnTail(kafka::Tail tail) {
  Tell(tail);
  Log(Level::kInfo, "Kafka's latest records of the spool's topics are read back",
      {{"records", std::to_string(tail.records.size())}});
  sent_before_ = SentBefore(std::move(tail.records));
  phase_ = Phase::kOver;
  on_over_();
}

}  // namespace outrigger::publish
