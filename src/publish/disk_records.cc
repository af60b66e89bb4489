#include "publish/disk_records.h"

#include <memory>
#include <utility>

#include "publish/spooled.h"

namespace outrigger::publish {

void DiskRecords::Send(event::Record record, Pending& event, size_t index) {
  if (next_.rows.empty()) calls_.Post([this] { Put(); });
  gate_.Add(record);
  next_.rows.push_back(RowOf(std::move(record), event, index, loop_.Wall()));
  next_.told.push_back({&event, index});
  ++records_;
  bytes_ += next_.rows.back().bytes();
}

void DiskRecords::Put() {
  auto batch = std::make_shared<Batch>(std::exchange(next_, {}));
  // The rows stay here: of those that the disk does not take, more is asked than their ids.
  store_.Put(batch->rows, [this, batch](const base::Result<store::Store::Placements>& placed) {
    OnPut(*batch, placed);
  });
}

void DiskRecords::OnPut(Batch& batch, const base::Result<store::Store::Placements>& placed) {
  for (size_t i = 0; i < batch.rows.size(); ++i) {
    store::Row& row = batch.rows[i];
    const auto [event, index] = batch.told[i];
    --records_;
    bytes_ -= row.bytes();
    if (placed) {
      OnPlaced(row, (*placed)[i], *event, index);
    } else {
      gate_.Remove(row.record);
      hooks_.on_rejected(*event, index, NotPut(placed.error()), row.record);
    }
  }
  if (!placed) hooks_.on_failed(placed.error(), batch.rows.size());
  if (empty()) hooks_.on_empty();
}

void DiskRecords::OnPlaced(store::Row& row, const store::Placed& placed, Pending& event,
                           size_t index) {
  row.id = placed.id;
  switch (placed.kind) {
    case store::Placed::Kind::kNew:
      plan_.OnPut(row.id);
      hooks_.on_row(row);
      return hooks_.on_spooled(event, index);
    case store::Placed::Kind::kRepeat:
      gate_.Remove(row.record);
      return hooks_.on_spooled(event, index);
    case store::Placed::Kind::kConflict:
      gate_.Remove(row.record);
      return hooks_.on_rejected(
          event, index, {.reason = RejectionReason::kConflict, .detail = kOtherBody}, row.record);
  }
}

Rejection NotPut(const base::Error& error) {
  Rejection rejection;
  const bool full = error.code == base::Code::kTooLarge;
  rejection.reason = full ? RejectionReason::kSpoolFull : RejectionReason::kDisk;
  if (full) rejection.limit = "spool.maxBytes";
  // Of a commit that failed it is not known whether it is on the disk.
  rejection.outcome = full || error.code == base::Code::kUnavailable ? RecordOutcome::kNone
                                                                     : RecordOutcome::kUnknown;
  rejection.detail = "the event was not written to the spool: " + error.message;
  if (!error.hint.empty()) rejection.detail += "; " + error.hint;
  return rejection;
}

}  // namespace outrigger::publish
