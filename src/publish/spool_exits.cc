#include "publish/spool_exits.h"

#include <memory>
#include <utility>

#include "base/fail_point.h"
#include "publish/dead_letter.h"
#include "publish/rejection.h"

namespace outrigger::publish {
namespace {

using telemetry::Level;
using telemetry::Log;

// A transaction for many costs little more than one for each: that is what draining waits for. A
// crash meanwhile sends so many again.
constexpr size_t kRemovedAtOnce = 1024;
constexpr std::chrono::milliseconds kRemovedAfter{20};

}  // namespace

void SpoolExits::OnAcked(const Spooled& spooled, const kafka::Stored& where) {
  base::Reach(base::FailPoint::kRowAcked);
  hooks_.on_left(spooled, Way::kAcked, where);
  Remove(spooled.id);
}

void SpoolExits::OnAlreadyInKafka(const Spooled& spooled, const kafka::Stored& where) {
  hooks_.on_left(spooled, Way::kAlreadyInKafka, where);
  Remove(spooled.id);
}

void SpoolExits::OnReport(Spooled spooled, const kafka::Report& report, event::Record& record) {
  if (report) return OnAcked(spooled, *report);
  if (ToRejection(report.error()).retryable()) return hooks_.on_kept(spooled);
  OnRejected(std::move(spooled), report.error(), std::move(record));
}

void SpoolExits::OnRejected(Spooled spooled, const kafka::Refusal& why, event::Record record) {
  base::Reach(base::FailPoint::kRowRejected);
  const char* reason = DeadLetterReason(why);
  if (spooled.dead_letter.empty()) return Quarantine(std::move(spooled), reason, why.error.message);
  record = DeadLetter(std::move(record), spooled.dead_letter, why, loop_.Wall());
  base::Reach(base::FailPoint::kDeadLetter);
  if (const auto full = sink_.admit(record); full && full->reason == kafka::Reason::kQueueFull)
    return hooks_.on_kept(spooled);
  sink_.send(std::move(record), [this, spooled = std::make_shared<Spooled>(std::move(spooled)),
                                 reason](const kafka::Report& report, event::Record& rejected) {
    base::Reach(base::FailPoint::kDeadLettered);
    if (report) {
      hooks_.on_left(*spooled, Way::kDeadLettered, std::nullopt);
      return Remove(spooled->id);
    }
    if (report.error().reason == kafka::Reason::kTimeout) return hooks_.on_kept(*spooled);
    Quarantine(
        std::move(*spooled), reason,
        rejected.topic + " rejected its dead-letter record: " + report.error().error.message);
  });
}

void SpoolExits::Quarantine(Spooled spooled, std::string reason, std::string detail) {
  if (uint64_t held_back; log_.Allow(loop_.Now(), held_back))
    Log(Level::kError, "an event of the spool is moved to the quarantine",
        {{"id", spooled.event_id},
         {"topic", spooled.topic},
         {"reason", reason},
         {"detail", detail},
         {"held_back", std::to_string(held_back)}});
  const int64_t id = spooled.id;
  store_.Quarantine(id, std::move(reason), std::move(detail),
                    [this, spooled = std::move(spooled)](const base::Result<bool>& moved) {
                      if (!moved) return hooks_.on_kept(spooled);
                      hooks_.on_left(spooled, Way::kQuarantined, std::nullopt);
                    });
}

void SpoolExits::Remove(int64_t id) {
  to_remove_.push_back(id);
  if (to_remove_.size() >= kRemovedAtOnce) return Flush();
  if (!flush_.armed()) flush_ = loop_.After(kRemovedAfter, [this] { Flush(); });
}

void SpoolExits::Flush() {
  flush_.Cancel();
  if (to_remove_.empty()) return;
  base::Reach(base::FailPoint::kRowRemove);
  store_.Remove(std::exchange(to_remove_, {}));
  hooks_.on_removed();
}

}  // namespace outrigger::publish
