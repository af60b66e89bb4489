// What people change by hand: records of the quarantine go back into the spool, and records are
// dropped.
//
// Thread: the loop's. Lifetime: as Drain. Promise: what the producer has is not dropped, and what
// was dropped is not given to it.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "publish/change_results.h"
#include "publish/drain.h"
#include "publish/drain_plan.h"
#include "publish/order_gate.h"
#include "publish/spool_exits.h"
#include "publish/spooled.h"
#include "store/store.h"

namespace outrigger::publish {

class ManualChanges {
 public:
  struct Hooks {
    std::function<void(const Spooled&)> on_requeued;  // its id is that in the spool
    std::function<void(const Spooled&)> on_dropped;   // from the spool
    std::function<void(const Spooled&)> on_dropped_quarantined;
  };
  ManualChanges(store::Store& store, DrainPlan& plan, OrderGate& gate, Drain& drain,
                SpoolExits& exits, Hooks hooks)
      : store_(store),
        plan_(plan),
        gate_(gate),
        drain_(drain),
        exits_(exits),
        hooks_(std::move(hooks)) {}

  using Ids = std::vector<int64_t>;
  // One for each id, in any order; or why the disk did nothing of it.
  using OnDone = std::function<void(const base::Result<std::vector<ChangeResult>>&)>;

  void Apply(Change change, Ids ids, OnDone on_done);

 private:
  void Requeue(Ids ids, OnDone on_done);
  void Drop(const Ids& ids, OnDone on_done);
  void DropQuarantined(Ids ids, OnDone on_done);

  store::Store& store_;
  DrainPlan& plan_;
  OrderGate& gate_;
  Drain& drain_;
  SpoolExits& exits_;
  const Hooks hooks_;
};

}  // namespace outrigger::publish
