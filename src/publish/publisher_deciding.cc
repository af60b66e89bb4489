// From the producer's reports, or their absence, to the callers' answers.
#include <algorithm>

#include "publish/dead_letter.h"
#include "publish/pending.h"
#include "publish/publisher.h"
#include "publish/refusal.h"

namespace outrigger::publish {

using telemetry::ProducerOutcome;
using telemetry::ProducerReason;

void Publisher::Await(Pending& pending, OnDecided on_decided) {
  waiters_.push_back({std::move(on_decided), loop_.Now(), &pending});
  pending.waiters.push_back(std::prev(waiters_.end()));
  if (!deadline_timer_.armed()) ArmDeadline();
}

void Publisher::AnswerQueued(const Pending& pending, const OnDecided& on_decided) {
  Outcome queued = pending.outcome;
  for (auto& target : queued.targets)
    if (target.status == Target::Status::kUndecided) target.status = Target::Status::kQueued;
  on_decided(queued);
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
  const telemetry::ProducerTopic& series = *pending.destinations[index].series;
  if (report) {
    target.status = Target::Status::kAcked;
    target.partition = report->partition;
    target.offset = report->offset;
    series[ProducerOutcome::kAcked].Increment();
    series.latency.Observe(std::chrono::duration<double>(loop_.Now() - pending.accepted).count());
  } else {
    const kafka::Refusal& refusal = report.error();
    http::Problem problem = ToProblem(refusal, pending.outcome.id);
    series[MetricReason(refusal.reason)].Increment();
    if (pending.sequence && problem.status == 503) pending.sequence->Stop(record);
    const bool deterministic =
        refusal.reason == kafka::Reason::kTooLarge || refusal.reason == kafka::Reason::kInvalid;
    if (const std::string& to = pending.destinations[index].dead_letter;
        deterministic && !to.empty()) {
      problem.detail += "; it was given to " + to;
      const char* reason = refusal.reason == kafka::Reason::kTooLarge ? "too_large" : "refused";
      SendDeadLetter(DeadLetter(std::move(record), to, reason, refusal.error.message,
                                problem.status, loop_.Wall()),
                     series);
    } else {
      series[ProducerOutcome::kFailed].Increment();
    }
    target.Fail(std::move(problem));
  }
  if (--pending.undecided == 0) Decide(pending);
}

void Publisher::Decide(Pending& pending) {
  std::list<Pending> decided;
  decided.splice(decided.end(), pending_, pending.self);
  std::list<Waiter> waiters;
  for (const auto& waiter : pending.waiters) waiters.splice(waiters.end(), waiters_, waiter);
  if (KnownEvent* known = pending.known) {
    const auto& targets = pending.outcome.targets;
    if (std::any_of(targets.begin(), targets.end(), [](const auto& t) { return t.safe(); })) {
      known_.Decide(*known, pending.outcome, loop_.Now());
    } else {
      known_.Forget(*known);
    }
  }
  for (const auto& waiter : waiters) waiter.on_decided(pending.outcome);
}

void Publisher::ArmDeadline() {
  deadline_timer_.Cancel();  // it may be another ack_timeout's, which is longer
  if (waiters_.empty()) return;
  const base::TimePoint due = waiters_.front().since + options_.ack_timeout;
  deadline_timer_ = loop_.After(std::max<base::Duration>(due - loop_.Now(), base::Duration::zero()),
                                [this] { OnDeadline(); });
}

Outcome Publisher::Unknown(const Pending& pending) {
  Outcome unknown = pending.outcome;
  for (size_t i = 0; i < unknown.targets.size(); ++i) {
    Target& target = unknown.targets[i];
    if (target.status != Target::Status::kUndecided) continue;
    http::Problem problem = MakeProblem(503, unknown.id,
                                        "Kafka has not acked the event in time; it may still "
                                        "arrive, and a retry with the same id joins it");
    problem.outcome = "unknown";
    problem.retry_after = kRetryAfterSeconds;
    problem.limit = "http.ackTimeout";
    target.Fail(std::move(problem));
    (*pending.destinations[i].series)[ProducerReason::kTimeout].Increment();
  }
  return unknown;
}

void Publisher::OnDeadline() {
  const base::TimePoint now = loop_.Now();
  std::vector<std::pair<OnDecided, Outcome>> answers;
  while (!waiters_.empty() && waiters_.front().since + options_.ack_timeout <= now) {
    Waiter& late = waiters_.front();
    answers.emplace_back(std::move(late.on_decided), Unknown(*late.pending));
    // The event stays with the producer; whoever joined it later waits on.
    auto& waiters = late.pending->waiters;
    waiters.erase(waiters.begin());
    waiters_.pop_front();
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
