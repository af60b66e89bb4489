// The core of the publish flow: an event is routed, checked, given to the producer, and decided
// once.
//
// Joins the parts: EventRouter makes the records, KnownEvents finds retries, EventSender sends and
// gathers reports, WaitingCallers answers. Thread: the flow's loop. `on_decided` is called exactly
// once for each Publish, on the loop's thread, inside the call when the event is refused at once.
// Lifetime: outlives what it has pending, or those are dropped undecided; the producer outlives it.
//
// Promise: an outcome "acked" means that Kafka acked (acks=all). When `ack_timeout` passes first,
// the answer is 503 `unknown`; the record stays with the producer, and a retry with the same
// id joins it.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/loop.h"
#include "event/json.h"
#include "kafka/record_sink.h"
#include "publish/ask.h"
#include "publish/event_router.h"
#include "publish/event_sender.h"
#include "publish/known_events.h"
#include "publish/outcome.h"
#include "publish/routes.h"
#include "publish/spool.h"
#include "publish/topic_series.h"
#include "publish/waiting_callers.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"

namespace outrigger::publish {

struct PublisherOptions {
  std::string source;  // of events that name none
  std::chrono::milliseconds ack_timeout{5000};
  // After Kafka has been away for this time, events are refused at once instead of after
  // ack_timeout.
  std::chrono::milliseconds away_after{1000};
  size_t known_events = 16'384;
  size_t known_bytes = 16 << 20;
  base::Duration known_for = std::chrono::minutes(10);
  // Callers that wait for an event of another request; more are answered 503.
  size_t max_joined = 65'536;
  // What may be undecided of all NDJSON streams together before reading pauses. Enough for full
  // batches to every partition, little enough for the half of the producer's queue that a topic may
  // take: what is too much for it would be refused.
  size_t max_undecided = 16'384;
  size_t max_undecided_bytes = 8 << 20;
};

class Publisher {
 public:
  // `sink` empty: Kafka is disabled, and what is valid is discarded on purpose. `spool` null: what
  // Kafka does not acknowledge in time is answered 503.
  Publisher(base::Loop& loop, kafka::RecordSink sink, Spool* spool, telemetry::Metrics& metrics,
            PublisherOptions options);
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  void SetRoutes(std::shared_ptr<const Routes> routes);
  void SetOptions(const PublisherOptions& options);
  const PublisherOptions& options() const { return options_; }
  // What is kept of events that were decided lately.
  size_t known_bytes() const { return known_.bytes(); }

  void Publish(event::Event event, const Ask& ask, OnDecided on_decided);

  // An event that could not be read, for its form or its size: counted, and answered.
  void RefuseUnread(Rejection rejection, const OnDecided& on_decided);

  // A raw record, without routes; `label` is the metrics' topic (the glob that allowed it).
  void PublishRaw(event::Record record, const std::string& label, const Ask& ask,
                  OnDecided on_decided);

  // What is known of the event of that id: an outcome without targets, if nothing. `on_found` comes
  // once, maybe inside the call.
  void Find(const std::string& id, OnDecided on_found);

  event::JsonReader& json() { return json_; }
  // Events that the producer has and that are undecided.
  size_t pending() const { return sender_.pending(); }
  // When the last event was offered; for a drain that waits until the app is quiet.
  base::TimePoint last_publish() const { return last_publish_; }

 private:
  // The entry under which an event of the caller's id is to be sent; null: what is known of it has
  // given the answer, or will.
  KnownEvent* Recall(std::string name, uint64_t fingerprint, const std::string& id,
                     const std::string& label, bool wait, OnDecided& on_decided);
  void Route(const std::vector<const Rule*>& rules, event::Event event, const Ask& ask,
             KnownEvent* known, OnDecided on_decided);
  void Send(std::vector<OutgoingRecord> records, Outcome outcome, KnownEvent* known, const Ask& ask,
            OnDecided on_decided);
  // `dead_lettered`: its dead-letter record is on the way, and decides the outcome.
  void Refuse(const std::string& label, const std::string& id, Rejection rejection,
              const OnDecided& on_decided, bool dead_lettered = false);
  void OnComplete(Pending& event);
  void OnSpoolStatus(const Spooled& spooled, Target::Status status,
                     const std::optional<kafka::Stored>& where);
  void OnLate(std::vector<WaitingCallers::Late> callers);

  base::Loop& loop_;
  PublisherOptions options_;
  Spool* const spool_;
  event::JsonReader json_;
  TopicSeries series_;
  EventRouter router_;
  KnownEvents known_;
  EventSender sender_;
  WaitingCallers callers_;
  base::TimePoint last_publish_;
  telemetry::LogLimit timeout_log_;
};

}  // namespace outrigger::publish
