#include "publish/spool.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace outrigger::publish {
namespace {

using telemetry::Level;
using telemetry::Log;
using telemetry::SpoolError;
using telemetry::SpoolOutcome;

// No topic takes more than this part of the spool.
constexpr uint64_t kTopicShare = 2;

Rejection Full(std::string detail, std::string limit) {
  return {.reason = RejectionReason::kSpoolFull,
          .outcome = RecordOutcome::kNone,
          .detail = std::move(detail),
          .limit = std::move(limit)};
}

// The machine's clock may have been set back.
double SecondsSince(int64_t ms, base::WallTime now) {
  const base::WallTime then{std::chrono::milliseconds(ms)};
  return std::max(std::chrono::duration<double>(now - then).count(), 0.0);
}

SpoolError KindOf(const base::Error& error) {
  if (error.code == base::Code::kTooLarge) return SpoolError::kFull;
  return error.code == base::Code::kUnavailable ? SpoolError::kDiskFull : SpoolError::kIo;
}

}  // namespace

Spool::Spool(base::Loop& loop, kafka::RecordSink sink, store::Store& store,
             const telemetry::SpoolMetrics& metrics, SpoolOptions options,
             kafka::ReadTail read_tail)
    : loop_(loop),
      sink_(std::move(sink)),
      store_(store),
      metrics_(metrics),
      options_(options),
      plan_(DrainPlan::Limits{}),
      exits_(loop, sink_, store,
             {.on_left = [this](const auto& spooled, auto way,
                                const auto& where) { OnLeft(spooled, way, where); },
              .on_removed = [this] { plan_.left().OnRemove(); },
              .on_kept = [this](const Spooled& spooled) { drain_.OnKept(spooled); }}),
      disk_(
          loop, store, plan_, gate_,
          {.on_spooled = [this](Pending& event, size_t index) { hooks_.on_spooled(event, index); },
           .on_rejected =
               [this](Pending& event, size_t index, Rejection why, event::Record& record) {
                 hooks_.on_rejected(event, index, std::move(why), record);
               },
           .on_new = [this] { OnPut(); },
           .on_none = [this](const std::string& topic, size_t bytes) { Forget(topic, bytes); },
           .on_failed = [this](const auto& error, size_t records) { OnFailed(error, records); },
           .on_empty = [this] { DoneIfEmpty(); }}),
      late_(
          loop, sink_, store, plan_, exits_,
          {.on_report = [this](Pending& event, size_t index, const auto& report,
                               auto& record) { hooks_.on_report(event, index, report, record); },
           .on_spooled = [this](Pending& event, size_t index) { hooks_.on_spooled(event, index); },
           .on_row =
               [this](const Spooled& row) {
                 use_.Add(row.topic, 1, row.bytes);
                 ShowUse();
                 OnPut();
               },
           .on_failed = [this](const auto& error, size_t records) { OnFailed(error, records); },
           .on_empty = [this] { DoneIfEmpty(); }}),
      read_back_(store, std::move(read_tail), [this] { drain_.Wake(); }),
      drain_(loop, sink_, store, plan_, gate_, exits_, read_back_, store.found().last_id,
             {.on_given =
                  [this](const Spooled& spooled) {
                    if (!spooled.source.empty()) on_status_(spooled, Target::Status::kSpooled, {});
                  },
              .on_damaged = [this](int64_t id) { OnDamaged(id); },
              .on_failed = [this](const base::Error& error) { OnFailed(error, 0); }}),
      changes_(store, plan_, gate_, drain_, exits_,
               {.on_requeued = [this](const Spooled& spooled) { OnRequeued(spooled); },
                .on_dropped =
                    [this](const Spooled& spooled) {
                      Forget(spooled.topic, spooled.bytes);
                      OnDropped(spooled);
                    },
                .on_dropped_quarantined =
                    [this](const Spooled& spooled) {
                      if (quarantined_ > 0) --quarantined_;
                      OnDropped(spooled);
                    }}) {
  late_.SetAfter(options_.after);
  const store::Contents& found = store.found();
  for (const auto& [topic, use] : found.topics) {
    use_.Add(topic, use.records, use.bytes);
    gate_.AddUnread(topic, use.records);
  }
  ShowUse();
  quarantined_ = found.quarantined;
  plan_.OnPut(found.last_id);
  drain_.Wake();
}

void Spool::SetOptions(const SpoolOptions& options) {
  options_ = options;
  late_.SetAfter(options_.after);
  store_.SetMaxBytes(options_.max_bytes);
}

tl::expected<Spool::Way, Rejection> Spool::Admit(const event::Record& record, config::Ack ack,
                                                 bool may_repeat) const {
  const auto full = sink_.admit(record);
  if (full && full->reason != kafka::Reason::kQueueFull) return tl::unexpected(ToRejection(*full));
  const bool waits = gate_.Holds(record) || (may_repeat && gate_.HasUnread(record.topic)) ||
                     (!plan_.idle() && plan_.Waits(LaneOf(sink_, record), loop_.Now()));
  if (!full && !waits && ack != config::Ack::kDisk) return Way::kProducer;
  if (auto no_room = NoRoom(record)) return tl::unexpected(std::move(*no_room));
  return Way::kDisk;
}

std::optional<Rejection> Spool::NoRoom(const event::Record& record) const {
  if (closing_) return Full("the sidecar is shutting down", {});
  if (store_.used_bytes() >= options_.max_bytes)
    return Full("the spool is full, and Kafka does not take its events in time", "spool.maxBytes");
  if (use_.bytes_of(record.topic) + record.bytes() > options_.max_bytes / kTopicShare)
    return Full("events of " + record.topic +
                    " have half of the spool, which is as much as one "
                    "topic may have",
                "spool.maxBytes");
  if (!disk_.empty() && disk_.bytes() + record.bytes() > options_.max_putting)
    return Full("the disk does not keep up with the events", "memory.budget");
  return std::nullopt;
}

void Spool::Send(event::Record record, Way way, Pending& event, size_t index) {
  if (way == Way::kProducer) return late_.Send(std::move(record), event, index);
  // Its room is taken from here on.
  const std::string topic = record.topic;
  use_.Add(topic, 1, disk_.Send(std::move(record), event, index));
  ShowUse();
}

void Spool::OnPut() {
  store_error_.clear();
  drain_.Wake();
}

void Spool::Forget(const std::string& topic, uint64_t bytes) {
  use_.Remove(topic, bytes);
  if (use_.records() == 0) {
    gate_.Clear();
    read_back_.Clear();
  }
  ShowUse();
}

void Spool::ShowUse() {
  metrics_.records.Set(static_cast<double>(use_.records()));
  metrics_.bytes.Set(static_cast<double>(use_.bytes()));
}

void Spool::OnFailed(const base::Error& error, size_t records) {
  metrics_[KindOf(error)].Increment();
  if (error.code != base::Code::kTooLarge) store_error_ = error.message;
  if (uint64_t held_back; log_.Allow(loop_.Now(), held_back))
    Log(Level::kError, records > 0 ? "the spool does not take events" : "the spool can't be read",
        {{"error", error.message},
         {"hint", error.hint},
         {"events", std::to_string(records)},
         {"held_back", std::to_string(held_back)}});
}

void Spool::OnLeft(const Spooled& spooled, SpoolExits::Way way,
                   const std::optional<kafka::Stored>& where) {
  if (plan_.Has(spooled.id)) plan_.OnLeft(spooled.id, loop_.Now());
  Forget(spooled.topic, spooled.bytes);
  switch (way) {
    case SpoolExits::Way::kAcked:
      metrics_[SpoolOutcome::kAcked].Increment();
      metrics_.latency.Observe(SecondsSince(spooled.accepted_ms, loop_.Wall()));
      on_status_(spooled, Target::Status::kAcked, where);
      break;
    case SpoolExits::Way::kAlreadyInKafka:
      metrics_[SpoolOutcome::kAlreadyInKafka].Increment();
      on_status_(spooled, Target::Status::kAcked, where);
      break;
    case SpoolExits::Way::kDeadLettered:
      metrics_[SpoolOutcome::kDeadLettered].Increment();
      on_status_(spooled, Target::Status::kDeadLettered, {});
      break;
    case SpoolExits::Way::kQuarantined:
      metrics_[SpoolOutcome::kQuarantined].Increment();
      ++quarantined_;
      on_status_(spooled, Target::Status::kQuarantined, {});
      break;
  }
  drain_.Wake();
}

void Spool::OnDamaged(int64_t id) {
  metrics_[SpoolError::kDamaged].Increment();
  metrics_.lost.Increment();
  Spooled damaged;
  damaged.id = id;
  exits_.Quarantine(std::move(damaged), "damaged", "its checksum is wrong");
}

void Spool::OnRequeued(const Spooled& spooled) {
  if (quarantined_ > 0) --quarantined_;
  use_.Add(spooled.topic, 1, spooled.bytes);
  ShowUse();
  on_status_(spooled, Target::Status::kSpooled, {});
  OnPut();
}

void Spool::OnDropped(const Spooled& spooled) {
  metrics_[SpoolOutcome::kDropped].Increment();
  on_status_(spooled, Target::Status::kUndecided, {});
}

void Spool::Find(const std::string& event_id, std::function<void(const Outcome&)> on_found) {
  store_.Find(event_id, [event_id, on_found = std::move(on_found)](
                            const base::Result<store::Store::Found>& found) {
    Outcome outcome;
    outcome.id = event_id;
    const auto add = [&outcome](const store::Row& row, Target::Status status) {
      Target& target = outcome.targets.emplace_back();
      target.topic = row.record.topic;
      target.status = status;
    };
    if (!found) {
      outcome.Reject(NotPut(found.error()));
    } else {
      for (const auto& row : found->spooled) add(row, Target::Status::kSpooled);
      for (const auto& row : found->quarantined) add(row.row, Target::Status::kQuarantined);
    }
    on_found(outcome);
  });
}

void Spool::Show() {
  metrics_.file_bytes.Set(static_cast<double>(store_.used_bytes()));
  metrics_.max_bytes.Set(static_cast<double>(options_.max_bytes));
  metrics_.quarantined.Set(static_cast<double>(quarantined_));
  metrics_.oldest_timestamp.Set(
      oldest_ ? std::chrono::duration<double>(oldest_->time_since_epoch()).count() : 0);
  if (use_.records() == 0) return oldest_.reset();
  store_.Read(0, 1, 1, [this](const base::Result<store::SpoolTable::Page>& page) {
    if (page && !page->rows.empty())
      oldest_ = base::WallTime(std::chrono::milliseconds(page->rows.front().accepted_ms));
  });
}

void Spool::Close(std::function<void()> on_done) {
  drain_.Stop();
  closing_ = true;
  on_done_ = std::move(on_done);
  late_.PutAll();
  DoneIfEmpty();
}

void Spool::Finish(std::function<void()> on_done) {
  exits_.Flush();
  // It is answered after what was asked before it.
  store_.Read(0, 1, 1, [on_done = std::move(on_done)](const auto&) { on_done(); });
}

void Spool::DoneIfEmpty() {
  if (on_done_ && late_.empty() && disk_.empty()) std::exchange(on_done_, nullptr)();
}

}  // namespace outrigger::publish
