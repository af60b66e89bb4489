#include "publish/event_sender.h"

#include <cassert>
#include <utility>

#include "base/fail_point.h"
#include "publish/dead_letter.h"

namespace outrigger::publish {

using telemetry::ProducerOutcome;

namespace {

Rejection Unavailable(std::string detail) {
  return {.reason = RejectionReason::kUnavailable,
          .outcome = RecordOutcome::kNone,
          .detail = std::move(detail)};
}

}  // namespace

EventSender::EventSender(base::Loop& loop, kafka::RecordSink sink, Spool* spool,
                         std::chrono::milliseconds away_after, OnComplete on_complete)
    : loop_(loop),
      sink_(std::move(sink)),
      spool_(spool),
      away_after_(away_after),
      on_complete_(std::move(on_complete)) {
  if (!spool_) return;
  spool_->SetHooks(
      {.on_report = [this](Pending& event, size_t index, const kafka::Report& report,
                           event::Record& record) { OnReport(event, index, report, record); },
       .on_spooled = [this](Pending& event, size_t index) { OnSpooled(event, index); },
       .on_rejected =
           [this](Pending& event, size_t index, Rejection why, const event::Record& record) {
             OnRejected(event, index, std::move(why), record);
           }});
}

std::string EventSender::last_error() const {
  return sink_ ? sink_.connection().last_error : std::string();
}

Pending& EventSender::Send(std::vector<OutgoingRecord> records, Outcome outcome, KnownEvent* known,
                           std::shared_ptr<Sequence> sequence) {
  assert(records.size() == outcome.targets.size());
  Pending& event = pending_.emplace_back();
  event.sender = this;
  event.self = std::prev(pending_.end());
  event.outcome = std::move(outcome);
  event.accepted = loop_.Now();
  event.known = known;
  event.sequence = std::move(sequence);
  event.destinations.reserve(records.size());
  for (auto& record : records) SendRecord(event, std::move(record));
  return event;
}

void EventSender::SendRecord(Pending& event, OutgoingRecord outgoing) {
  const size_t index = event.destinations.size();
  Target& target = event.outcome.targets[index];
  const telemetry::ProducerTopic& series = *outgoing.destination.series;
  event.destinations.push_back(std::move(outgoing.destination));
  if (target.safe()) return;
  if (!sink_) {
    target.status = Target::Status::kDiscarded;
    series[ProducerOutcome::kDiscarded].Increment();
    return LogDiscarded();
  }
  if (auto offered = Offer(event, index, outgoing); !offered)
    Fail(event, index, std::move(offered.error()), outgoing.record);
}

tl::expected<void, Rejection> EventSender::Offer(Pending& event, size_t index,
                                                 OutgoingRecord& outgoing) {
  if (event.sequence && event.sequence->Stopped(outgoing.record)) {
    return tl::unexpected(Unavailable(
        "an earlier event of the same key failed and may be tried again: this one was not tried"));
  }
  if (spool_) {
    const auto way = spool_->Admit(outgoing.record, outgoing.ack, event.known != nullptr);
    if (!way) return tl::unexpected(way.error());
    ++event.undecided;
    spool_->Send(std::move(outgoing.record), *way, event, index);
    return {};
  }
  if (auto rejection = NotNow(outgoing)) return tl::unexpected(std::move(*rejection));
  ++event.undecided;
  sink_.send(std::move(outgoing.record),
             [at = &event, index](const kafka::Report& report, event::Record& sent) {
               at->sender->OnReport(*at, index, report, sent);
             });
  return {};
}

// Counted, and its target has failed.
void EventSender::Fail(Pending& event, size_t index, Rejection rejection,
                       const event::Record& record) {
  const telemetry::ProducerTopic& series = *event.destinations[index].series;
  series[ProducerOutcome::kFailed].Increment();
  series[MetricReason(rejection.reason)].Increment();
  if (event.sequence && rejection.retryable()) event.sequence->Stop(record);
  event.outcome.targets[index].Fail(std::move(rejection));
}

std::optional<Rejection> EventSender::NotNow(const OutgoingRecord& outgoing) const {
  const auto& connection = sink_.connection();
  if (outgoing.ack == config::Ack::kKafka && !connection.connected &&
      loop_.Now() - connection.since > away_after_) {
    return Unavailable("Kafka can't be reached" + (connection.last_error.empty()
                                                       ? std::string()
                                                       : ": " + connection.last_error));
  }
  if (auto refusal = sink_.admit(outgoing.record)) return ToRejection(*refusal);
  return std::nullopt;
}

void EventSender::LogDiscarded() {
  if (uint64_t held_back; discard_log_.Allow(loop_.Now(), held_back))
    telemetry::Log(
        telemetry::Level::kWarn,
        "Kafka is disabled (KAFKA_ENABLED=false): events are answered 202 and discarded");
}

void EventSender::CompleteIfDecided(Pending& event) {
  if (event.undecided > 0) return;
  std::list<Pending> complete;
  complete.splice(complete.end(), pending_, event.self);
  on_complete_(event);
}

void EventSender::OnReport(Pending& event, size_t index, const kafka::Report& report,
                           event::Record& record) {
  assert(event.undecided > 0);
  if (report) {
    Target& target = event.outcome.targets[index];
    target.status = Target::Status::kAcked;
    target.partition = report->partition;
    target.offset = report->offset;
    const telemetry::ProducerTopic& series = *event.destinations[index].series;
    series[ProducerOutcome::kAcked].Increment();
    series.latency.Observe(std::chrono::duration<double>(loop_.Now() - event.accepted).count());
  } else {
    OnRefusal(event, index, report.error(), record);
  }
  Decided(event);
}

void EventSender::OnSpooled(Pending& event, size_t index) {
  event.outcome.targets[index].status = Target::Status::kSpooled;
  (*event.destinations[index].series)[ProducerOutcome::kSpooled].Increment();
  Decided(event);
  base::Reach(base::FailPoint::kSpooledTold);
}

void EventSender::OnRejected(Pending& event, size_t index, Rejection rejection,
                             const event::Record& record) {
  Fail(event, index, std::move(rejection), record);
  Decided(event);
}

void EventSender::Decided(Pending& event) {
  --event.undecided;
  CompleteIfDecided(event);
}

void EventSender::OnRefusal(Pending& event, size_t index, const kafka::Refusal& refusal,
                            event::Record& record) {
  const Destination& destination = event.destinations[index];
  const telemetry::ProducerTopic& series = *destination.series;
  Rejection rejection = ToRejection(refusal);
  series[MetricReason(rejection.reason)].Increment();
  if (event.sequence && rejection.retryable()) event.sequence->Stop(record);
  bool dead_lettered = false;
  if (!rejection.retryable() && !destination.dead_letter.empty()) {
    dead_lettered = SendDeadLetter(
        DeadLetter(std::move(record), destination.dead_letter, refusal, loop_.Wall()), series,
        rejection);
  }
  if (!dead_lettered) series[ProducerOutcome::kFailed].Increment();
  event.outcome.targets[index].Fail(std::move(rejection));
}

bool EventSender::SendDeadLetter(event::Record record, const telemetry::ProducerTopic& series,
                                 Rejection& rejection) {
  if (!sink_) return false;
  if (const auto refusal = sink_.admit(record)) {
    rejection.detail += "; " + record.topic + " did not get it: " + refusal->error.message;
    return false;
  }
  rejection.detail += "; it was written to " + record.topic;
  sink_.send(std::move(record), [&series](const kafka::Report& report, event::Record& record) {
    // An event has one outcome: that of its dead-letter record.
    if (report) return series[ProducerOutcome::kDeadLettered].Increment();
    series[ProducerOutcome::kFailed].Increment();
    telemetry::Log(telemetry::Level::kError, "Kafka refused a dead-letter record",
                   {{"topic", record.topic}, {"error", report.error().error.message}});
  });
  return true;
}

}  // namespace outrigger::publish
