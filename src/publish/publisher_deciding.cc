// From the producer's reports, or their absence, to the callers' answers.
#include <algorithm>

#include "publish/dead_letter.h"
#include "publish/pending.h"
#include "publish/publisher.h"
#include "publish/refusal.h"

namespace outrigger::publish {

using telemetry::ProducerOutcome;
using telemetry::ProducerReason;

namespace {

// The callers that are answered before others have their turn.
constexpr size_t kAnswersAtOnce = 512;

}  // namespace

void Publisher::Await(Pending& pending, OnDecided on_decided, bool joins) {
  Waiter& waiter = waiters_.emplace_back(
      Waiter{std::move(on_decided), loop_.AwakeNow(), &pending, joins, {}, nullptr});
  waiter.self = std::prev(waiters_.end());
  (pending.last ? pending.last->next : pending.first) = &waiter;
  pending.last = &waiter;
  if (joins) ++joined_;
  if (!deadline_timer_.armed()) ArmDeadline();
}

void Publisher::AnswerQueued(const Pending& pending, const OnDecided& on_decided) {
  Outcome queued = pending.outcome;
  for (auto& target : queued.targets)
    if (target.status == Target::Status::kUndecided) target.status = Target::Status::kQueued;
  on_decided(queued);
}

bool Publisher::GiveDeadLetter(event::Record record, const telemetry::ProducerTopic& series,
                               http::Problem& problem) {
  if (const auto refusal = producer_->Admit(record)) {
    problem.detail += "; " + record.topic + " did not get it: " + refusal->error.message;
    return false;
  }
  problem.detail += "; it was written to " + record.topic;
  producer_->Produce(
      std::move(record), [&series](const kafka::Report& report, event::Record& record) {
        // An event has one outcome: that of its dead-letter record.
        if (report) return series[ProducerOutcome::kDeadLettered].Increment();
        series[ProducerOutcome::kFailed].Increment();
        telemetry::Log(telemetry::Level::kError, "Kafka refused a dead-letter record",
                       {{"topic", record.topic}, {"error", report.error().error.message}});
      });
  return true;
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
    bool given = false;
    if (const std::string& to = pending.destinations[index].dead_letter;
        deterministic && !to.empty()) {
      const char* reason = refusal.reason == kafka::Reason::kTooLarge ? "too_large" : "refused";
      given = GiveDeadLetter(DeadLetter(std::move(record), to, reason, refusal.error.message,
                                        problem.status, loop_.Wall()),
                             series, problem);
    }
    if (!given) series[ProducerOutcome::kFailed].Increment();
    target.Fail(std::move(problem));
  }
  if (--pending.undecided == 0) Decide(pending);
}

void Publisher::Decide(Pending& pending) {
  std::list<Pending> decided;
  decided.splice(decided.end(), pending_, pending.self);
  std::list<Waiter> waiters;
  for (const Waiter* waiter = pending.first; waiter; waiter = waiter->next) {
    waiters.splice(waiters.end(), waiters_, waiter->self);
    if (waiter->joined) --joined_;
  }
  if (KnownEvent* known = pending.known) {
    const auto& targets = pending.outcome.targets;
    if (std::any_of(targets.begin(), targets.end(), [](const auto& t) { return t.safe(); })) {
      known_.Decide(*known, pending.outcome, loop_.Now());
    } else {
      known_.Forget(*known);
    }
  }
  AnswerAll(std::move(waiters), pending.outcome);
}

void Publisher::AnswerAll(std::list<Waiter> waiters, const Outcome& outcome) {
  for (size_t answered = 0; !waiters.empty() && answered < kAnswersAtOnce; ++answered) {
    const OnDecided on_decided = std::move(waiters.front().on_decided);
    waiters.pop_front();
    on_decided(outcome);
  }
  if (waiters.empty()) return;
  loop_.Post([this, outcome, rest = std::make_shared<std::list<Waiter>>(std::move(waiters))] {
    AnswerAll(std::move(*rest), outcome);
  });
}

void Publisher::ArmDeadline() {
  deadline_timer_.Cancel();  // it may be another ack_timeout's, which is longer
  if (waiters_.empty()) return;
  // AwakeTime has to be asked regularly while callers wait.
  const base::Duration wait = waiters_.front().since + options_.ack_timeout - loop_.AwakeNow();
  deadline_timer_ = loop_.After(
      std::clamp<base::Duration>(wait, base::Duration::zero(), base::AwakeTime::kAskEvery),
      [this] { OnDeadline(); });
}

Outcome Publisher::Unknown(const Pending& pending) {
  Outcome unknown = pending.outcome;
  for (size_t i = 0; i < unknown.targets.size(); ++i) {
    Target& target = unknown.targets[i];
    if (target.status != Target::Status::kUndecided) continue;
    http::Problem problem = MakeProblem(503, unknown.id,
                                        "Kafka has not acknowledged the event in time; it may "
                                        "still arrive, and a retry with the same id joins it");
    problem.outcome = "unknown";
    problem.retry_after = kRetryAfterSeconds;
    problem.limit = "http.ackTimeout";
    target.Fail(std::move(problem));
    (*pending.destinations[i].series)[ProducerReason::kTimeout].Increment();
  }
  return unknown;
}

void Publisher::OnDeadline() {
  const base::TimePoint now = loop_.AwakeNow();
  std::vector<std::pair<OnDecided, Outcome>> answers;
  while (!waiters_.empty() && waiters_.front().since + options_.ack_timeout <= now &&
         answers.size() < kAnswersAtOnce) {
    Waiter& late = waiters_.front();
    Pending& pending = *late.pending;
    answers.emplace_back(std::move(late.on_decided), Unknown(pending));
    // The event stays with the producer; callers that joined it later keep waiting.
    pending.first = late.next;
    if (!pending.first) pending.last = nullptr;
    if (late.joined) --joined_;
    waiters_.pop_front();
  }
  ArmDeadline();
  if (uint64_t held_back; !answers.empty() && timeout_log_.Allow(loop_.Now(), held_back)) {
    telemetry::Log(telemetry::Level::kWarn,
                   "Kafka has not acknowledged events within http.ackTimeout",
                   {{"events", std::to_string(answers.size())},
                    {"kafka", producer_ ? producer_->connection().last_error : std::string()}});
  }
  for (auto& [on_decided, outcome] : answers) on_decided(outcome);
}

}  // namespace outrigger::publish
