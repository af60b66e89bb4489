// The records that go to the disk before the producer gets them, and are on their way there.
//
// What comes within one turn of the loop goes together. Thread: the loop's. Lifetime: outlived by
// store, plan and gate; destroyed, it tells nothing more.
#pragma once

#include <functional>
#include <vector>

#include "base/loop_calls.h"
#include "publish/drain_plan.h"
#include "publish/order_gate.h"
#include "publish/pending.h"
#include "store/store.h"

namespace outrigger::publish {

class DiskRecords {
 public:
  struct Hooks {
    std::function<void(Pending&, size_t)> on_spooled;
    std::function<void(Pending&, size_t, Rejection, event::Record&)> on_rejected;
    std::function<void()> on_new;                                   // a row was added
    std::function<void(const std::string& topic, size_t)> on_none;  // none was, of so many bytes
    std::function<void(const base::Error&, size_t)> on_failed;      // so many were not, and why
    std::function<void()> on_empty;
  };
  DiskRecords(base::Loop& loop, store::Store& store, DrainPlan& plan, OrderGate& gate, Hooks hooks)
      : loop_(loop),
        store_(store),
        plan_(plan),
        gate_(gate),
        hooks_(std::move(hooks)),
        calls_(loop) {}

  // Returns the bytes of its row.
  size_t Send(event::Record record, Pending& event, size_t index);
  bool empty() const { return records_ == 0; }
  size_t bytes() const { return bytes_; }

 private:
  struct Sent {
    Pending* event;
    size_t index;
    event::Record record;  // its topic and key
    size_t bytes;
  };

  void Put();
  void OnPut(std::vector<Sent>& sent, const base::Result<store::Store::Placements>& placed);
  void OnPlaced(Sent& sent, const store::Placed& placed);
  void OnNone(const Sent& sent);

  base::Loop& loop_;
  store::Store& store_;
  DrainPlan& plan_;
  OrderGate& gate_;
  const Hooks hooks_;
  std::vector<store::Row> rows_;  // for the end of the turn
  std::vector<Sent> sent_;        // of those
  size_t records_ = 0;            // of all batches
  size_t bytes_ = 0;
  base::LoopCalls calls_;
};

// Why a record is not on the disk.
Rejection NotPut(const base::Error& error);

}  // namespace outrigger::publish
