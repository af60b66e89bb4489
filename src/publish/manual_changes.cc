#include "publish/manual_changes.h"

#include <utility>

#include "telemetry/log.h"

namespace outrigger::publish {
namespace {

using store::Store;

constexpr char kOnItsWay[] =
    "it does not wait in the spool, or the Kafka client has it already: that can't be withdrawn";

Spooled SpooledOf(Store::Changed& changed) {
  Spooled spooled = Spooled::Of(changed.row);
  spooled.bytes = changed.bytes;
  return spooled;
}

std::vector<ChangeResult> ResultsOf(const ManualChanges::Ids& ids, const Store::Changes& changes,
                                    Change change) {
  std::vector<ChangeResult> results;
  uint64_t done = 0;
  for (size_t i = 0; i < ids.size(); ++i) {
    if (!changes[i]) {
      results.push_back(ChangeResult::NotThere(ids[i], change));
      continue;
    }
    ++done;
    results.push_back(
        ChangeResult::Done(ids[i], change == Change::kRequeue ? changes[i]->row.id : 0));
  }
  if (done > 0)
    telemetry::Log(telemetry::Level::kWarn,
                   change == Change::kRequeue ? "records went back into the spool by hand"
                                              : "records were dropped by hand",
                   {{"records", std::to_string(done)},
                    {"from", change == Change::kDrop ? "spool" : "quarantine"}});
  return results;
}

}  // namespace

void ManualChanges::Apply(Change change, Ids ids, OnDone on_done) {
  switch (change) {
    case Change::kRequeue:
      return Requeue(std::move(ids), std::move(on_done));
    case Change::kDrop:
      return Drop(ids, std::move(on_done));
    case Change::kDropQuarantined:
      return DropQuarantined(std::move(ids), std::move(on_done));
  }
}

void ManualChanges::Requeue(Ids ids, OnDone on_done) {
  store_.Requeue(ids, [this, ids, on_done = std::move(on_done)](base::Result<Store::Changes> done) {
    if (!done) return on_done(base::Fail(done.error()));
    const auto results = ResultsOf(ids, *done, Change::kRequeue);
    for (auto& changed : *done) {
      if (!changed) continue;
      gate_.Add(changed->row.record);
      plan_.OnPut(changed->row.id);
      hooks_.on_requeued(SpooledOf(*changed));
    }
    on_done(results);
  });
}

void ManualChanges::Drop(const Ids& ids, OnDone on_done) {
  Ids dropped;
  std::vector<ChangeResult> refused;
  for (const int64_t id : ids) {
    if (plan_.BeginDrop(id)) {
      dropped.push_back(id);
    } else {
      refused.push_back({id, 0, kOnItsWay});
    }
  }
  exits_.Flush();  // what has left is not dropped again
  store_.Drop(dropped, [this, dropped, refused = std::move(refused),
                        on_done = std::move(on_done)](base::Result<Store::Changes> done) {
    for (size_t i = 0; i < dropped.size(); ++i)
      plan_.EndDrop(dropped[i], done && (*done)[i].has_value());
    drain_.Wake();
    if (!done) return on_done(base::Fail(done.error()));
    auto results = ResultsOf(dropped, *done, Change::kDrop);
    for (auto& changed : *done) {
      if (!changed) continue;
      drain_.OnDropped(changed->row.id, changed->row.record);
      hooks_.on_dropped(SpooledOf(*changed));
    }
    results.insert(results.end(), refused.begin(), refused.end());
    on_done(results);
  });
}

void ManualChanges::DropQuarantined(Ids ids, OnDone on_done) {
  store_.DropQuarantined(
      ids, [this, ids, on_done = std::move(on_done)](base::Result<Store::Changes> done) {
        if (!done) return on_done(base::Fail(done.error()));
        const auto results = ResultsOf(ids, *done, Change::kDropQuarantined);
        for (auto& changed : *done)
          if (changed) hooks_.on_dropped_quarantined(SpooledOf(*changed));
        on_done(results);
      });
}

}  // namespace outrigger::publish
