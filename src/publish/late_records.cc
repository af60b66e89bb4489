#include "publish/late_records.h"

#include <memory>
#include <utility>

#include "base/fail_point.h"
#include "publish/rejection.h"

namespace outrigger::publish {

LateRecords::LateRecords(base::Loop& loop, const kafka::RecordSink& sink, store::Store& store,
                         DrainPlan& plan, SpoolExits& exits, Hooks hooks)
    : loop_(loop),
      sink_(sink),
      store_(store),
      plan_(plan),
      exits_(exits),
      hooks_(std::move(hooks)) {}

void LateRecords::Send(event::Record record, Pending& event, size_t index) {
  Late& late = sent_.emplace_back();
  late.self = std::prev(sent_.end());
  late.event = &event;
  late.index = index;
  late.entry = sink_.send(std::move(record),
                          [this, &late](const kafka::Report& report, event::Record& reported) {
                            OnReport(late, report, reported);
                          });
  if (!timer_.armed()) Arm();
}

void LateRecords::Arm() {
  if (sent_.empty()) return;
  timer_ =
      loop_.After(std::max<base::Duration>(sent_.front().event->accepted + after_ - loop_.Now(),
                                           base::Duration::zero()),
                  [this] { OnTimer(); });
}

void LateRecords::OnTimer() {
  while (!sent_.empty() && sent_.front().event->accepted + after_ <= loop_.Now()) {
    const Late& late = sent_.front();
    const std::string topic = late.event->outcome.targets[late.index].topic;
    Put(&topic);
  }
  Arm();
}

void LateRecords::PutAll() {
  timer_.Cancel();
  Put(nullptr);
}

void LateRecords::Put(const std::string* topic) {
  Batch batch;
  std::vector<store::Row> rows;
  for (auto next = sent_.begin(); next != sent_.end();) {
    Late& late = *next++;
    if (topic && late.event->outcome.targets[late.index].topic != *topic) continue;
    if (!late.overdue) late.overdue = std::make_unique<Overdue>();
    rows.push_back(RowOf(late.overdue->refusal ? late.overdue->record : sink_.copy(*late.entry),
                         *late.event, late.index, loop_.Wall()));
    late.state = Late::State::kPutting;
    late.overdue->row = Spooled::Of(rows.back());
    late.overdue->lane = LaneOf(sink_, rows.back().record);
    plan_.OnLate(late.overdue->lane);
    late_.splice(late_.end(), sent_, late.self);
    batch.push_back(&late);
  }
  if (batch.empty()) return;
  base::Reach(base::FailPoint::kLate);
  putting_ += batch.size();
  store_.Put(std::move(rows),
             [this, batch = std::move(batch)](const auto& placed) { OnPut(batch, placed); });
}

void LateRecords::OnPut(const Batch& batch, const base::Result<store::Store::Placements>& placed) {
  base::Reach(base::FailPoint::kLatePut);
  putting_ -= batch.size();
  for (size_t i = 0; i < batch.size(); ++i) {
    if (placed) {
      OnPlaced(*batch[i], (*placed)[i]);
    } else {
      OnFailed(*batch[i]);
    }
  }
  if (!placed) hooks_.on_failed(placed.error(), batch.size());
  if (empty()) hooks_.on_empty();
}

void LateRecords::OnPlaced(Late& late, const store::Placed& placed) {
  if (placed.kind == store::Placed::Kind::kConflict) return OnFailed(late);
  if (placed.kind == store::Placed::Kind::kRepeat) {
    // An earlier process was given the event too. Its row is drained as others are.
    if (late.event) hooks_.on_spooled(*std::exchange(late.event, nullptr), late.index);
    return OnFailed(late);
  }
  late.overdue->row.id = placed.id;
  hooks_.on_row(late.overdue->row);
  if (late.overdue->acked) {
    plan_.OnLateLeft(late.overdue->row.id, late.overdue->lane);
    exits_.OnAcked(late.overdue->row, *late.overdue->acked);
    return End(late);
  }
  late.state = Late::State::kSpooled;
  plan_.OnLatePut(late.overdue->row.id, late.overdue->lane);
  hooks_.on_spooled(*std::exchange(late.event, nullptr), late.index);
  if (late.overdue->refusal)
    OnReportOfRow(late, tl::unexpected(*late.overdue->refusal), late.overdue->record);
}

// It waits for the producer's report alone.
void LateRecords::OnFailed(Late& late) {
  late.state = Late::State::kFailed;
  if (late.overdue->refusal)
    return OnReport(late, tl::unexpected(*late.overdue->refusal), late.overdue->record);
  if (!late.overdue->acked) return;
  plan_.OnLateGone(late.overdue->lane);
  End(late);
}

void LateRecords::OnReport(Late& late, const kafka::Report& report, event::Record& record) {
  switch (late.state) {
    case Late::State::kSent:
      if (!report && ToRejection(report.error()).retryable()) {
        late.overdue = std::make_unique<Overdue>();
        late.overdue->refusal = report.error();
        late.overdue->record = std::move(record);
        const std::string topic = late.overdue->record.topic;
        return Put(&topic);
      }
      hooks_.on_report(*late.event, late.index, report, record);
      sent_.erase(late.self);
      if (empty()) hooks_.on_empty();
      return;
    case Late::State::kPutting:
      if (report) {
        late.overdue->acked = *report;
        return hooks_.on_report(*std::exchange(late.event, nullptr), late.index, report, record);
      }
      // Whether it is on the disk decides what becomes of it.
      late.overdue->refusal = report.error();
      late.overdue->record = std::move(record);
      return;
    case Late::State::kSpooled:
      return OnReportOfRow(late, report, record);
    case Late::State::kFailed:
      plan_.OnLateGone(late.overdue->lane);
      if (late.event) hooks_.on_report(*late.event, late.index, report, record);
      return End(late);
  }
}

void LateRecords::OnReportOfRow(Late& late, const kafka::Report& report, event::Record& record) {
  exits_.OnReport(std::move(late.overdue->row), report, record);
  End(late);
}

void LateRecords::End(Late& late) { late_.erase(late.self); }

}  // namespace outrigger::publish
