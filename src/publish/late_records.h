// The records that the producer has and the disk has not: those that are not acknowledged in time
// are put on the disk, where they stay until the producer has reported them. So are those that
// Kafka refuses for the moment.
//
// When one is late, all of its topic that are with the producer are put, in the order in which they
// were sent: a later one of the same key may follow on the disk, and after a crash the disk's order
// is what counts. Thread: the loop's. Lifetime: outlived by sink, store, plan and exits; destroyed
// only after the producer's last report.
#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include "base/loop.h"
#include "kafka/record_sink.h"
#include "publish/drain_plan.h"
#include "publish/pending.h"
#include "publish/spool_exits.h"
#include "publish/spooled.h"
#include "store/store.h"

namespace outrigger::publish {

class LateRecords {
 public:
  struct Hooks {
    // The producer's report of a record that is not on the disk; of others, the event is told that
    // they are there.
    std::function<void(Pending&, size_t, const kafka::Report&, event::Record&)> on_report;
    std::function<void(Pending&, size_t)> on_spooled;
    std::function<void(const Spooled&)> on_row;                 // a row was added
    std::function<void(const base::Error&, size_t)> on_failed;  // so many records were not added
    std::function<void()> on_empty;                             // as empty()
  };
  LateRecords(base::Loop& loop, const kafka::RecordSink& sink, store::Store& store, DrainPlan& plan,
              SpoolExits& exits, Hooks hooks);

  void SetAfter(std::chrono::milliseconds after) { after_ = after; }
  void Send(event::Record record, Pending& event, size_t index);
  // Does not wait any longer for what is not acknowledged.
  void PutAll();
  // Whether nothing waits for the producer or for the disk.
  bool empty() const { return sent_.empty() && putting_ == 0; }

 private:
  // Of a record that is late; most are not.
  struct Overdue {
    Lane lane;
    Spooled row;                            // with its id once it is on the disk
    std::optional<kafka::Refusal> refusal;  // that came while it was being put, or before
    event::Record record;                   // that was refused
    std::optional<kafka::Stored> acked;     // while it was being put
  };
  // A record from Send to the producer's report.
  struct Late {
    enum class State { kSent, kPutting, kSpooled, kFailed };

    const kafka::Entry* entry = nullptr;
    Pending* event = nullptr;  // null: it was told
    size_t index = 0;
    std::list<Late>::iterator self;
    State state = State::kSent;
    std::unique_ptr<Overdue> overdue;  // once it is late
  };
  using Lates = std::list<Late>;
  using Batch = std::vector<Late*>;

  void Arm();
  void OnTimer();
  void Put(const std::string* topic);  // null: of every topic
  void OnPut(const Batch& batch, const base::Result<store::Store::Placements>& placed);
  void OnPlaced(Late& late, const store::Placed& placed);
  void OnFailed(Late& late);
  void OnReport(Late& late, const kafka::Report& report, event::Record& record);
  void OnReportOfRow(Late& late, const kafka::Report& report, event::Record& record);
  void End(Late& late);

  base::Loop& loop_;
  const kafka::RecordSink& sink_;
  store::Store& store_;
  DrainPlan& plan_;
  SpoolExits& exits_;
  const Hooks hooks_;
  std::chrono::milliseconds after_{250};
  Lates sent_;  // in the order of sending
  Lates late_;  // those that are late
  size_t putting_ = 0;
  base::Timer timer_;
};

}  // namespace outrigger::publish
