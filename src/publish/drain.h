// Reads the spool and gives its records to the producer, as DrainPlan says, but for those that
// Kafka has already.
//
// Thread: the loop's. Lifetime: outlived by sink, store, plan, gate, exits and `read_back`;
// destroyed only after the producer's last report.
#pragma once

#include <functional>
#include <string>
#include <unordered_set>

#include "base/loop_calls.h"
#include "kafka/record_sink.h"
#include "publish/drain_plan.h"
#include "publish/order_gate.h"
#include "publish/read_back.h"
#include "publish/spool_exits.h"
#include "publish/spool_reader.h"
#include "publish/spooled.h"
#include "store/store.h"

namespace outrigger::publish {

class Drain {
 public:
  struct Hooks {
    std::function<void(const Spooled&)> on_given;  // the producer has it
    std::function<void(int64_t id)> on_damaged;
    std::function<void(const base::Error&)> on_failed;  // the disk could not be read
  };
  // Rows up to `unread` are of an earlier run: their keys are not known, the gate counts them.
  Drain(base::Loop& loop, const kafka::RecordSink& sink, store::Store& store, DrainPlan& plan,
        OrderGate& gate, SpoolExits& exits, ReadBack& read_back, int64_t unread, Hooks hooks);

  // Something has changed: there may be a record that can be given now.
  void Wake();
  void Stop() { stopped_ = true; }
  // A record that the producer had stays in the spool, and is to be given again.
  void OnKept(const Spooled& spooled);
  // A record that the producer has not got will not come: its row is removed.
  void OnDropped(int64_t id, const event::Record& record) { Release(id, record); }

 private:
  void Turn();
  // Returns how many rows it has looked at.
  size_t OnPage(const DrainPlan::Reading& reading, SpoolReader::Page& page);
  // False: the producer has no room.
  bool Give(const DrainPlan::Reading& reading, store::Row& row, const Lane& lane);
  void Release(int64_t id, const event::Record& record);
  void Again();

  base::Loop& loop_;
  const kafka::RecordSink& sink_;
  SpoolReader reader_;
  DrainPlan& plan_;
  OrderGate& gate_;
  SpoolExits& exits_;
  ReadBack& read_back_;
  const int64_t unread_;
  const Hooks hooks_;
  std::unordered_set<int64_t> kept_;  // rows that the gate counts as unread again
  bool awake_ = false;                // a turn is posted, or the disk is being read
  bool stopped_ = false;
  base::Timer again_;
  base::LoopCalls calls_;
};

}  // namespace outrigger::publish
