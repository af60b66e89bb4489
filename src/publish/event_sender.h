// Gives the records of events to the sink and gathers the reports: an event is complete when
// each of its records is decided.
//
// Thread: the loop's. Lifetime: outlived by the sink; destroyed, it drops what is pending
// undecided, and reports must not come any more. Promise: a target is `acked` when Kafka acked its
// record (acks=all), and each event completes once.
#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/loop.h"
#include "kafka/record_sink.h"
#include "publish/outcome.h"
#include "publish/outgoing_record.h"
#include "publish/pending.h"
#include "publish/rejection.h"
#include "publish/sequence.h"
#include "publish/spool.h"
#include "telemetry/log.h"

namespace outrigger::publish {

class EventSender {
 public:
  // The event is no longer pending, and gone after the call.
  using OnComplete = std::function<void(Pending&)>;

  // `sink` empty: Kafka is disabled, and records are discarded on purpose. `spool` may be null; its
  // hooks are set. `away_after`: without a spool, and with Kafka away for so long, records whose
  // caller waits for it are refused at once.
  EventSender(base::Loop& loop, kafka::RecordSink sink, Spool* spool,
              std::chrono::milliseconds away_after, OnComplete on_complete);
  EventSender(const EventSender&) = delete;
  EventSender& operator=(const EventSender&) = delete;

  void SetAwayAfter(std::chrono::milliseconds away_after) { away_after_ = away_after; }

  // Sends the records of one event. `outcome` has a target for each of them; those that are safe
  // already are skipped. Completes nothing: CompleteIfDecided has to follow.
  Pending& Send(std::vector<OutgoingRecord> records, Outcome outcome, KnownEvent* known,
                std::shared_ptr<Sequence> sequence);
  // Completes the event now when none of its records is on the way; else its last report does.
  void CompleteIfDecided(Pending& event);

  // False: it is not sent. Either way the detail of `rejection` says what became of it.
  bool SendDeadLetter(event::Record record, const telemetry::ProducerTopic& series,
                      Rejection& rejection);

  size_t pending() const { return pending_.size(); }
  // Why Kafka was not reached last; empty: no reason is known.
  std::string last_error() const;

 private:
  void SendRecord(Pending& event, OutgoingRecord outgoing);
  // To the producer, or the way that the spool says; an error: it can't be sent now.
  tl::expected<void, Rejection> Offer(Pending& event, size_t index, OutgoingRecord& outgoing);
  void Fail(Pending& event, size_t index, Rejection rejection, const event::Record& record);
  // Without a spool: what forbids the record at once, or nothing.
  std::optional<Rejection> NotNow(const OutgoingRecord& outgoing) const;
  void OnReport(Pending& event, size_t index, const kafka::Report& report, event::Record& record);
  void OnRefusal(Pending& event, size_t index, const kafka::Refusal& refusal,
                 event::Record& record);
  void OnSpooled(Pending& event, size_t index);
  void OnRejected(Pending& event, size_t index, Rejection rejection, const event::Record& record);
  void Decided(Pending& event);
  void LogDiscarded();

  base::Loop& loop_;
  const kafka::RecordSink sink_;
  Spool* const spool_;
  std::chrono::milliseconds away_after_;
  OnComplete on_complete_;
  std::list<Pending> pending_;
  telemetry::LogLimit discard_log_{std::chrono::hours(24)};
};

}  // namespace outrigger::publish
