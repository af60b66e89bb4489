#include "publish/drain.h"

#include <memory>
#include <utility>

#include "base/fail_point.h"

namespace outrigger::publish {
namespace {

// Lanes become stuck and have paused with time alone.
constexpr std::chrono::milliseconds kLookAgain{100};

}  // namespace

Drain::Drain(base::Loop& loop, const kafka::RecordSink& sink, store::Store& store, DrainPlan& plan,
             OrderGate& gate, SpoolExits& exits, ReadBack& read_back, int64_t unread, Hooks hooks)
    : loop_(loop),
      sink_(sink),
      reader_(store, plan.left()),
      plan_(plan),
      gate_(gate),
      exits_(exits),
      read_back_(read_back),
      unread_(unread),
      hooks_(std::move(hooks)),
      calls_(loop) {}

void Drain::Wake() {
  if (awake_ || stopped_) return;
  awake_ = true;
  calls_.Post([this] { Turn(); });
}

void Drain::Turn() {
  again_.Cancel();
  const bool ready = sink_.connection().connected && !stopped_ && read_back_.Over();
  const auto reading = ready ? plan_.Next(loop_.Now()) : std::nullopt;
  if (!reading) {
    awake_ = false;
    if (plan_.Waiting()) Again();
    return;
  }
  reader_.Read(reading->after, [this, reading = *reading](SpoolReader::Page& page) {
    return OnPage(reading, page);
  });
}

void Drain::Again() {
  if (stopped_) return;
  again_ = loop_.After(kLookAgain, [this] { Wake(); });
}

size_t Drain::OnPage(const DrainPlan::Reading& reading, SpoolReader::Page& page) {
  base::Reach(base::FailPoint::kPageRead);
  awake_ = false;
  if (!page) {
    plan_.EndReading(reading, false);
    hooks_.on_failed(page.error());
    Again();
    return 0;
  }
  const base::TimePoint now = loop_.Now();
  size_t looked_at = 0;
  for (store::Row& row : page->rows) {
    const Lane lane = LaneOf(sink_, row.record);
    const auto step = stopped_ ? DrainPlan::Step::kStop : plan_.Look(reading, row.id, lane, now);
    const bool given = step == DrainPlan::Step::kGive && Give(reading, row, lane);
    if (given || step == DrainPlan::Step::kSkip) {
      ++looked_at;
      continue;
    }
    plan_.EndReading(reading, false);
    step == DrainPlan::Step::kGive ? Again() : Wake();
    return looked_at;
  }
  for (const int64_t id : page->damaged) hooks_.on_damaged(id);
  plan_.EndReading(reading, page->rows.empty() && page->damaged.empty());
  Wake();
  return looked_at;
}

bool Drain::Give(const DrainPlan::Reading& reading, store::Row& row, const Lane& lane) {
  const auto full = sink_.admit(row.record);
  if (full && full->reason == kafka::Reason::kQueueFull) return false;
  Release(row.id, row.record);
  plan_.OnGiven(reading, row.id, lane, row.bytes(), loop_.Now());
  const auto where = row.id <= unread_ ? read_back_.Take(row) : std::nullopt;
  auto spooled = std::make_shared<Spooled>(Spooled::Of(row));
  if (where) {
    exits_.OnAlreadyInKafka(*spooled, *where);
    return true;
  }
  hooks_.on_given(*spooled);
  base::Reach(base::FailPoint::kGive);
  sink_.send(std::move(row.record),
             [this, spooled](const kafka::Report& report, event::Record& record) {
               exits_.OnReport(std::move(*spooled), report, record);
               Wake();
             });
  base::Reach(base::FailPoint::kGiven);
  return true;
}

// Records of its key need not follow it any more.
void Drain::Release(int64_t id, const event::Record& record) {
  if (id <= unread_ || kept_.erase(id) > 0) {
    gate_.RemoveUnread(record.topic);
  } else {
    gate_.Remove(record);
  }
}

void Drain::OnKept(const Spooled& spooled) {
  base::Reach(base::FailPoint::kRowRefused);
  plan_.OnRefused(spooled.id, loop_.Now());
  if (spooled.id > unread_) kept_.insert(spooled.id);
  gate_.AddUnread(spooled.topic, 1);
  Wake();
}

}  // namespace outrigger::publish
