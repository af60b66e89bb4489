// The spool: events that Kafka has not acknowledged in time are kept on the disk until it has.
//
// Kafka first: a record goes to the producer, and to the disk when it is late. Straight to the disk
// goes what would overtake an earlier record of its key, what is of a partition that is late
// already, and what its caller asks for. While Kafka acknowledges in time, the disk is not touched.
//
// Joins the parts: LateRecords has what the producer has and the disk has not, DiskRecords what
// goes to the disk first; OrderGate says who has to follow, ReadBack what an earlier run had sent,
// Drain gives the producer what is on the disk, SpoolExits removes it, and ManualChanges is what
// people do. Thread: the loop's. Lifetime: outlived by the sink and the store; Close before the
// producer is closed, and destroyed after its last report and after `read_tail`'s answer, or that
// comes no more. Promise: an event is told to be spooled after it was fsynced.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "base/loop.h"
#include "base/loop_calls.h"
#include "config/config.h"
#include "kafka/record_sink.h"
#include "kafka/tail_reader.h"
#include "publish/disk_records.h"
#include "publish/drain.h"
#include "publish/drain_plan.h"
#include "publish/late_records.h"
#include "publish/manual_changes.h"
#include "publish/order_gate.h"
#include "publish/outcome.h"
#include "publish/read_back.h"
#include "publish/spool_exits.h"
#include "publish/spool_use.h"
#include "store/store.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"

namespace outrigger::publish {

struct SpoolOptions {
  std::chrono::milliseconds after{250};
  uint64_t max_bytes = 1 << 30;
  // What may be on its way to the disk.
  size_t max_putting = 8 << 20;
};

class Spool {
 public:
  // Told of a record that Send took: once, unless the spool is destroyed first, and not inside the
  // call.
  struct Hooks {
    std::function<void(Pending&, size_t, const kafka::Report&, event::Record&)> on_report;
    std::function<void(Pending&, size_t)> on_spooled;
    std::function<void(Pending&, size_t, Rejection, event::Record&)> on_rejected;
  };
  // What is known of an event of the spool: kSpooled, when it is given to the producer, and then
  // what became of it; `where` is that of kAcked. kUndecided: it was dropped by hand, and nothing
  // is to be known of it.
  using OnStatus = std::function<void(const Spooled&, Target::Status,
                                      const std::optional<kafka::Stored>& where)>;

  Spool(base::Loop& loop, kafka::RecordSink sink, store::Store& store,
        const telemetry::SpoolMetrics& metrics, SpoolOptions options,
        kafka::ReadTail read_tail = nullptr);

  void SetHooks(Hooks hooks) { hooks_ = std::move(hooks); }
  void SetOnStatus(OnStatus on_status) { on_status_ = std::move(on_status); }
  void SetOptions(const SpoolOptions& options);

  enum class Way { kProducer, kDisk };
  // The record's way, or why there is no room for it. A Send that follows at once has room.
  // `may_repeat`: its caller has chosen the id, and an earlier run may have been given the event.
  tl::expected<Way, Rejection> Admit(const event::Record& record, config::Ack ack,
                                     bool may_repeat) const;
  void Send(event::Record record, Way way, Pending& event, size_t index);

  // What the spool has of an event id: an outcome with no target, if nothing. Asks the disk.
  void Find(const std::string& event_id, std::function<void(const Outcome&)> on_found);

  // What waits and what is quarantined, without what has left; for reading.
  store::Store& store() {
    exits_.Flush();
    return store_;
  }
  ManualChanges& changes() { return changes_; }

  // The connection to Kafka has changed.
  void OnConnectionChange() { drain_.Wake(); }
  // Shows what it holds; once a second or so.
  void Show();
  uint64_t records() const { return use_.records(); }
  uint64_t bytes() const { return use_.bytes(); }
  uint64_t quarantined() const { return quarantined_; }
  std::optional<base::WallTime> oldest() const { return oldest_; }  // as Show found it last
  bool full() const { return store_.used_bytes() >= options_.max_bytes; }
  // Why the disk did not take or give events last; empty: it does.
  const std::string& store_error() const { return store_error_; }
  size_t putting_bytes() const { return disk_.bytes(); }

  // Gives nothing more to the producer, and calls `on_done` when all that was sent is acknowledged
  // or on the disk.
  void Close(std::function<void()> on_done);
  // Calls `on_done` when what has left the spool is removed from the disk.
  void Finish(std::function<void()> on_done);

 private:
  std::optional<Rejection> NoRoom(const event::Record& record) const;
  void OnPut();
  void Forget(const std::string& topic, uint64_t bytes);
  void ShowUse();
  void OnFailed(const base::Error& error, size_t records);
  void OnLeft(const Spooled& spooled, SpoolExits::Way way,
              const std::optional<kafka::Stored>& where);
  void OnDamaged(int64_t id);
  void OnRequeued(const Spooled& spooled);
  void OnDropped(const Spooled& spooled);
  void DoneIfEmpty();

  base::Loop& loop_;
  const kafka::RecordSink sink_;
  store::Store& store_;
  const telemetry::SpoolMetrics& metrics_;
  SpoolOptions options_;
  Hooks hooks_;
  OnStatus on_status_;
  SpoolUse use_;
  OrderGate gate_;
  DrainPlan plan_;
  SpoolExits exits_;
  DiskRecords disk_;
  LateRecords late_;
  ReadBack read_back_;
  Drain drain_;
  ManualChanges changes_;
  telemetry::LogLimit log_;
  uint64_t quarantined_ = 0;
  std::optional<base::WallTime> oldest_;
  std::string store_error_;
  bool closing_ = false;
  std::function<void()> on_done_;
};

}  // namespace outrigger::publish
