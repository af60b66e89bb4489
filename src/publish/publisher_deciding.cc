// From the producer's reports, or their absence, to the callers' answers.
#include <algorithm>

#include "publish/dead_letter.h"
#include "publish/pending.h"
#include "publish/publisher.h"
#include "publish/refusal.h"

namespace outrigger::publish {

using telemetry::ProducerOutcome;
using telemetry::ProducerReason;

void Publisher::Join(Pending& pending, OnDecided on_decided) {
  pending.waiters.push_back({std::move(on_decided), loop_.Now() + options_.ack_timeout});
  if (pending.overdue) {
    pending.overdue = false;
    pending_.splice(pending_.end(), overdue_, pending.self);
  }
  if (!deadline_timer_.armed()) ArmDeadline();
}

void Publisher::SendDeadLetter(event::Record record, const telemetry::ProducerTopic& series) {
  producer_->Produce(
      std::move(record), [&series](const kafka::Report& report, event::Record& letter) {
        // One outcome for each event: its letter's.
        if (report) return series[ProducerOutcome::kDeadLettered].Increment();
        series[ProducerOutcome::kFailed].Increment();
        telemetry::Log(telemetry::Level::kError, "a dead letter was refused by Kafka",
                       {{"topic", letter.topic}, {"error", report.error().error.message}});
      });
}

void Publisher::OnReport(Pending& pending, size_t index, const kafka::Report& report,
                         event::Record& record) {
  Target& target = pending.outcome.targets[index];
  const telemetry::ProducerTopic& series = *pending.series[index];
  if (report) {
    target.status = Target::Status::kAcked;
    target.partition = report->partition;
    target.offset = report->offset;
    series[ProducerOutcome::kAcked].Increment();
    series.latency.Observe(std::chrono::duration<double>(loop_.Now() - pending.accepted).count());
  } else {
    const kafka::Refusal& refusal = report.error();
    target.status = Target::Status::kFailed;
    target.problem = ToProblem(refusal, pending.outcome.id);
    series[MetricReason(refusal.reason)].Increment();
    if (pending.sequence && target.problem->status == 503) pending.sequence->Stop(record);
    const bool deterministic =
        refusal.reason == kafka::Reason::kTooLarge || refusal.reason == kafka::Reason::kInvalid;
    if (const std::string& to = pending.dead_letters[index]; deterministic && !to.empty()) {
      target.problem->detail += "; it was given to " + to;
      const char* reason = refusal.reason == kafka::Reason::kTooLarge ? "too_large" : "refused";
      SendDeadLetter(DeadLetter(std::move(record), to, reason, refusal.error.message,
                                target.problem->status, loop_.Wall()),
                     series);
    } else {
      series[ProducerOutcome::kFailed].Increment();
    }
  }
  if (--pending.undecided == 0) Decide(pending);
}

void Publisher::Decide(Pending& pending) {
  std::list<Pending> decided;
  decided.splice(decided.end(), pending.overdue ? overdue_ : pending_, pending.self);
  if (KnownEvent* known = pending.known) {
    const auto& targets = pending.outcome.targets;
    if (std::any_of(targets.begin(), targets.end(), [](const auto& t) { return t.safe(); })) {
      known_.Decide(*known, pending.outcome, loop_.Now());
    } else {
      known_.Forget(*known);
    }
  }
  for (const auto& waiter : pending.waiters) waiter.on_decided(pending.outcome);
}

void Publisher::ArmDeadline() {
  if (pending_.empty()) return;
  auto& waiters = pending_.front().waiters;
  const base::TimePoint due =
      waiters.empty() ? loop_.Now() + options_.ack_timeout : waiters.front().deadline;
  const base::Duration wait = std::max<base::Duration>(due - loop_.Now(), base::Duration::zero());
  deadline_timer_ = loop_.After(wait, [this] { OnDeadline(); });
}

Outcome Publisher::Unknown(const Pending& pending) {
  Outcome unknown = pending.outcome;
  for (size_t i = 0; i < unknown.targets.size(); ++i) {
    Target& target = unknown.targets[i];
    if (target.status != Target::Status::kUndecided) continue;
    target.status = Target::Status::kFailed;
    auto& problem =
        target.problem.emplace(MakeProblem(503, unknown.id,
                                           "Kafka has not acked the event in time; it may still "
                                           "arrive, and a retry with the same id joins it"));
    problem.outcome = "unknown";
    problem.retry_after = kRetryAfterSeconds;
    problem.limit = "http.ackTimeout";
    (*pending.series[i])[ProducerReason::kTimeout].Increment();
  }
  return unknown;
}

void Publisher::OnDeadline() {
  const base::TimePoint now = loop_.Now();
  std::vector<std::pair<OnDecided, Outcome>> answers;
  while (!pending_.empty()) {
    Pending& pending = pending_.front();
    auto& waiters = pending.waiters;
    if (!waiters.empty() && waiters.front().deadline > now) break;
    if (!waiters.empty()) {
      const Outcome unknown = Unknown(pending);
      while (!waiters.empty() && waiters.front().deadline <= now) {
        answers.emplace_back(std::move(waiters.front().on_decided), unknown);
        waiters.erase(waiters.begin());
      }
    }
    // Whoever joined later waits on; the event without a waiter goes aside.
    pending.overdue = waiters.empty();
    auto& list = pending.overdue ? overdue_ : pending_;
    list.splice(list.end(), pending_, pending.self);
  }
  ArmDeadline();
  if (uint64_t held_back; !answers.empty() && timeout_log_.Allow(now, held_back)) {
    telemetry::Log(telemetry::Level::kWarn, "Kafka has not acked events within http.ackTimeout",
                   {{"events", std::to_string(answers.size())},
                    {"kafka", producer_ ? producer_->connection().last_error : std::string()}});
  }
  for (auto& [on_decided, outcome] : answers) on_decided(outcome);
}

}  // namespace outrigger::publish
