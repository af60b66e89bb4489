#include "publish/disk_records.h"

#include <memory>
#include <utility>

#include "base/fail_point.h"
#include "publish/spooled.h"

namespace outrigger::publish {

size_t DiskRecords::Send(event::Record record, Pending& event, size_t index) {
  if (rows_.empty()) calls_.Post([this] { Put(); });
  gate_.Add(record);
  Sent& sent = sent_.emplace_back(Sent{&event, index, {}, 0});
  sent.record.topic = record.topic;
  sent.record.key = record.key;
  rows_.push_back(RowOf(std::move(record), event, index, loop_.Wall()));
  sent.bytes = rows_.back().bytes();
  ++records_;
  bytes_ += sent.bytes;
  return sent.bytes;
}

void DiskRecords::Put() {
  base::Reach(base::FailPoint::kDiskFirst);
  auto sent = std::make_shared<std::vector<Sent>>(std::exchange(sent_, {}));
  store_.Put(
      std::exchange(rows_, {}),
      [this, sent](const base::Result<store::Store::Placements>& placed) { OnPut(*sent, placed); });
}

void DiskRecords::OnPut(std::vector<Sent>& sent,
                        const base::Result<store::Store::Placements>& placed) {
  base::Reach(base::FailPoint::kDiskPut);
  for (size_t i = 0; i < sent.size(); ++i) {
    --records_;
    bytes_ -= sent[i].bytes;
    if (placed) {
      OnPlaced(sent[i], (*placed)[i]);
    } else {
      OnNone(sent[i]);
      hooks_.on_rejected(*sent[i].event, sent[i].index, NotPut(placed.error()), sent[i].record);
    }
  }
  if (!placed) hooks_.on_failed(placed.error(), sent.size());
  if (empty()) hooks_.on_empty();
}

void DiskRecords::OnPlaced(Sent& sent, const store::Placed& placed) {
  switch (placed.kind) {
    case store::Placed::Kind::kNew:
      plan_.OnPut(placed.id);
      hooks_.on_new();
      return hooks_.on_spooled(*sent.event, sent.index);
    case store::Placed::Kind::kRepeat:
      OnNone(sent);
      return hooks_.on_spooled(*sent.event, sent.index);
    case store::Placed::Kind::kConflict:
      OnNone(sent);
      return hooks_.on_rejected(*sent.event, sent.index,
                                {.reason = RejectionReason::kConflict, .detail = kOtherBody},
                                sent.record);
  }
}

void DiskRecords::OnNone(const Sent& sent) {
  gate_.Remove(sent.record);
  hooks_.on_none(sent.record.topic, sent.bytes);
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
