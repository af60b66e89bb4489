#include "publish/publisher.h"

#include <algorithm>

#include "base/ids.h"
#include "base/json_text.h"
#include "event/cloudevents.h"
#include "publish/pending.h"
#include "publish/prepare.h"

namespace outrigger::publish {
namespace {

using telemetry::ProducerOutcome;

// The label of events that no route took.
constexpr char kNoTopic[] = "none";

// Whether the caller waits for what becomes of the event.
bool Waits(config::Ack ack) { return ack != config::Ack::kMemory; }

bool AllSafe(const Outcome& outcome) {
  return !outcome.targets.empty() &&
         std::all_of(outcome.targets.begin(), outcome.targets.end(),
                     [](const Target& target) { return target.safe(); });
}

bool AnySpooled(const Outcome& outcome) {
  return std::any_of(outcome.targets.begin(), outcome.targets.end(), [](const Target& target) {
    return target.status == Target::Status::kSpooled;
  });
}

bool AnySafe(const Outcome& outcome) {
  return std::any_of(outcome.targets.begin(), outcome.targets.end(),
                     [](const Target& target) { return target.safe(); });
}

// A hash of an event, to distinguish a retry from another event with the same id.
uint64_t Fingerprint(std::initializer_list<std::optional<std::string_view>> parts) {
  const std::hash<std::optional<std::string_view>> hash;
  uint64_t sum = 0;
  for (const auto& part : parts) sum ^= hash(part) + 0x9e3779b97f4a7c15 + (sum << 6) + (sum >> 2);
  return sum;
}

// A target for each record. A retry of an event that is safe in some topics skips those: by place,
// since two rules may lead to one topic. Where a reload moved the rules, it is sent again.
std::vector<Target> TargetsOf(const std::vector<OutgoingRecord>& records, const KnownEvent* known) {
  std::vector<Target> targets;
  targets.reserve(records.size());
  for (const auto& [record, destination, wait] : records) {
    Target& target = targets.emplace_back();
    target.topic = record.topic;
    const size_t at = targets.size() - 1;
    if (!known || at >= known->outcome.targets.size()) continue;
    const Target& earlier = known->outcome.targets[at];
    if (earlier.topic == target.topic && earlier.safe()) target = earlier;
  }
  return targets;
}

// The outcome for a caller who does not wait.
Outcome Queued(const Pending& event) {
  Outcome queued = event.outcome;
  for (auto& target : queued.targets)
    if (target.status == Target::Status::kUndecided) target.status = Target::Status::kQueued;
  return queued;
}

// The outcome for a caller whose time is over.
Outcome Unknown(const Pending& event) {
  Outcome unknown = event.outcome;
  for (size_t i = 0; i < unknown.targets.size(); ++i) {
    Target& target = unknown.targets[i];
    if (target.status != Target::Status::kUndecided) continue;
    target.Fail({.reason = RejectionReason::kTimeout,
                 .outcome = RecordOutcome::kUnknown,
                 .detail = "Kafka has not acknowledged the event in time; it may still arrive, and "
                           "a retry with the same id joins it",
                 .limit = "http.ackTimeout"});
    (*event.destinations[i].series)[telemetry::ProducerReason::kTimeout].Increment();
  }
  return unknown;
}

}  // namespace

Publisher::Publisher(base::Loop& loop, kafka::RecordSink sink, Spool* spool,
                     telemetry::Metrics& metrics, PublisherOptions options)
    : loop_(loop),
      options_(std::move(options)),
      spool_(spool),
      series_(metrics),
      router_(series_),
      known_(options_.known_events, options_.known_for, options_.known_bytes),
      sender_(loop, std::move(sink), spool, options_.away_after,
              [this](Pending& event) { OnComplete(event); }),
      callers_(loop, options_.ack_timeout,
               [this](std::vector<WaitingCallers::Late> callers) { OnLate(std::move(callers)); }),
      last_publish_(loop.Now()) {
  if (!spool_) return;
  spool_->SetOnStatus([this](const Spooled& spooled, Target::Status status, const auto& where) {
    OnSpoolStatus(spooled, status, where);
  });
}

void Publisher::SetRoutes(std::shared_ptr<const Routes> routes) {
  series_.Of(kNoTopic);
  router_.SetRoutes(std::move(routes));
}

void Publisher::SetOptions(const PublisherOptions& options) {
  options_ = options;
  sender_.SetAwayAfter(options_.away_after);
  callers_.SetTimeout(options_.ack_timeout);
}

void Publisher::Refuse(const std::string& label, const std::string& id, Rejection rejection,
                       const OnDecided& on_decided, bool dead_lettered) {
  const auto& series = series_.Of(label);
  if (!dead_lettered) series[ProducerOutcome::kFailed].Increment();
  series[MetricReason(rejection.reason)].Increment();
  Outcome outcome;
  outcome.id = id;
  outcome.Reject(std::move(rejection));
  on_decided(outcome);
}

void Publisher::RefuseUnread(Rejection rejection, const OnDecided& on_decided) {
  Refuse(kNoTopic, {}, std::move(rejection), on_decided);
}

void Publisher::Publish(event::Event event, const Ask& ask, OnDecided on_decided) {
  last_publish_ = loop_.Now();
  ask.Complete(event);
  const bool callers_id = !event.id.empty();
  const auto malformed = [&](const base::Error& error) {
    Refuse(kNoTopic, event.id, {.reason = RejectionReason::kMalformed, .detail = error.message},
           on_decided);
  };
  if (auto complete = Complete(event, options_.source, loop_.Wall()); !complete)
    return malformed(complete.error());
  if (auto legal = event::CheckAttributes(event); !legal) return malformed(legal.error());
  if (auto text = event::CheckAttributeValues(event); !text) return malformed(text.error());

  auto rules = router_.Select(event);
  if (!rules) return malformed(rules.error());
  if (rules->empty()) {
    return Refuse(kNoTopic, event.id,
                  {.reason = RejectionReason::kNoRoute,
                   .detail = "no route takes an event of type \"" + base::Excerpt(event.type) +
                             "\"; `outrigger explain` says why not"},
                  on_decided);
  }
  if (ask.ack == config::Ack::kDisk && !spool_) {
    return Refuse(rules->front()->topic.text(), event.id,
                  {.reason = RejectionReason::kNotSupported, .detail = kNoDisk}, on_decided);
  }
  if (!callers_id) return Route(*rules, std::move(event), ask, nullptr, std::move(on_decided));

  const bool wait = std::any_of(rules->begin(), rules->end(),
                                [&ask](const Rule* rule) { return Waits(AckOf(*rule, ask)); });
  const uint64_t fingerprint = Fingerprint({event.type, event.subject, event.key, event.data});
  KnownEvent* known = Recall(KnownEvents::Name(event.source, event.id), fingerprint, event.id,
                             rules->front()->topic.text(), wait, on_decided);
  if (known) Route(*rules, std::move(event), ask, known, std::move(on_decided));
}

KnownEvent* Publisher::Recall(std::string name, uint64_t fingerprint, const std::string& id,
                              const std::string& label, bool wait, OnDecided& on_decided) {
  KnownEvent* known = known_.Find(name, loop_.Now());
  if (!known) return &known_.Add(std::move(name), fingerprint);
  if (known->fingerprint != fingerprint) {
    Refuse(label, id, {.reason = RejectionReason::kConflict, .detail = kOtherBody}, on_decided);
  } else if (known->pending) {
    if (!wait) {
      on_decided(Queued(*known->pending));
    } else if (callers_.joined() >= options_.max_joined) {
      Refuse(
          label, id,
          {.reason = RejectionReason::kUnavailable,
           .outcome = RecordOutcome::kUnknown,
           .detail = "the event is in flight already, and too many callers wait for such events"},
          on_decided);
    } else {
      callers_.Add(*known->pending, std::move(on_decided), true);
    }
  } else if (AllSafe(known->outcome)) {
    on_decided(known->outcome);
  } else {
    return known;
  }
  return nullptr;
}

void Publisher::Route(const std::vector<const Rule*>& rules, event::Event event, const Ask& ask,
                      KnownEvent* known, OnDecided on_decided) {
  Outcome outcome;
  outcome.id = event.id;
  // Every rule's record first: an event that one rule refuses is refused whole, before anything is
  // sent.
  auto records = router_.Prepare(rules, std::move(event), ask, loop_.Wall());
  if (!records) {
    auto& [rule, refused] = records.error();
    const std::string& label = rule->topic.text();
    const bool dead_lettered =
        refused.dead_letter && sender_.SendDeadLetter(std::move(*refused.dead_letter),
                                                      series_.Of(label), refused.rejection);
    if (known && known->undecided) known_.Forget(*known);
    return Refuse(label, outcome.id, std::move(refused.rejection), on_decided, dead_lettered);
  }
  outcome.targets = TargetsOf(*records, known);
  Send(std::move(*records), std::move(outcome), known, ask, std::move(on_decided));
}

void Publisher::PublishRaw(event::Record record, const std::string& label, const Ask& ask,
                           OnDecided on_decided) {
  last_publish_ = loop_.Now();
  const bool callers_id = !ask.id.empty();
  std::string id = callers_id ? ask.id : base::NewUuid7(loop_.Wall());
  const config::Ack ack = ask.ack.value_or(config::Ack::kKafka);
  if (ack == config::Ack::kDisk && !spool_)
    return Refuse(label, id, {.reason = RejectionReason::kNotSupported, .detail = kNoDisk},
                  on_decided);
  KnownEvent* known = nullptr;
  if (callers_id) {
    // No event's source has a line's end, so no event has this name.
    known = Recall(KnownEvents::Name('\n' + record.topic, id),
                   Fingerprint({record.key, record.value}), id, label, Waits(ack), on_decided);
    if (!known) return;
  }
  Outcome outcome;
  outcome.id = std::move(id);
  outcome.targets.emplace_back().topic = record.topic;
  std::vector<OutgoingRecord> records;
  records.push_back({std::move(record), {&series_.Of(label), {}}, ack});
  Send(std::move(records), std::move(outcome), known, ask, std::move(on_decided));
}

void Publisher::Send(std::vector<OutgoingRecord> records, Outcome outcome, KnownEvent* known,
                     const Ask& ask, OnDecided on_decided) {
  const bool wait = std::any_of(records.begin(), records.end(),
                                [](const auto& record) { return Waits(record.ack); });
  Pending& event = sender_.Send(std::move(records), std::move(outcome), known, ask.sequence);
  if (known) known_.Open(*known, event);
  if (wait || event.undecided == 0) {
    callers_.Add(event, std::move(on_decided), false);
  } else {
    on_decided(Queued(event));
  }
  sender_.CompleteIfDecided(event);
}

void Publisher::OnComplete(Pending& event) {
  KnownEvent* known = event.known;
  // What is in the spool can be asked for by its id, whoever has chosen it.
  if (!known && AnySpooled(event.outcome))
    known = &known_.Add(KnownEvents::Name({}, event.outcome.id), 0);
  if (known) {
    if (AnySafe(event.outcome)) {
      known_.Decide(*known, event.outcome, loop_.Now());
    } else {
      known_.Forget(*known);
    }
  }
  callers_.Answer(event, event.outcome);
}

// An event of an earlier run is known from here on.
void Publisher::OnSpoolStatus(const Spooled& spooled, Target::Status status,
                              const std::optional<kafka::Stored>& where) {
  std::string name = KnownEvents::Name(spooled.source, spooled.event_id);
  KnownEvent* known = known_.Find(name, loop_.Now());
  if (status == Target::Status::kUndecided) {
    if (known && !known->pending) known_.Forget(*known);
    return;
  }
  Outcome outcome;
  if (known) outcome = known->pending ? known->pending->outcome : known->outcome;
  outcome.id = spooled.event_id;
  const auto place = static_cast<size_t>(spooled.target);
  if (outcome.targets.size() <= place) outcome.targets.resize(place + 1);
  Target& target = outcome.targets[place];
  target.topic = spooled.topic;
  target.status = status;
  if (where) {
    target.partition = where->partition;
    target.offset = where->offset;
  }
  // Others of its targets may be undecided.
  if (known && known->pending) return std::swap(known->pending->outcome, outcome);
  if (!known) known = &known_.Add(std::move(name), spooled.fingerprint);
  known_.Decide(*known, outcome, loop_.Now());
}

void Publisher::Find(const std::string& id, OnDecided on_found) {
  const KnownEvent* latest = nullptr;
  known_.EachOf(id, [&latest](const KnownEvent& known) {
    if (!latest || known.decided > latest->decided) latest = &known;
  });
  if (latest) return on_found(latest->pending ? latest->pending->outcome : latest->outcome);
  if (spool_) return spool_->Find(id, std::move(on_found));
  Outcome unknown;
  unknown.id = id;
  on_found(unknown);
}

void Publisher::OnLate(std::vector<WaitingCallers::Late> callers) {
  std::vector<Outcome> outcomes;
  outcomes.reserve(callers.size());
  for (const auto& caller : callers) outcomes.push_back(Unknown(*caller.event));
  if (uint64_t held_back; timeout_log_.Allow(loop_.Now(), held_back)) {
    telemetry::Log(telemetry::Level::kWarn,
                   "Kafka has not acknowledged events within http.ackTimeout",
                   {{"events", std::to_string(callers.size())}, {"kafka", sender_.last_error()}});
  }
  for (size_t i = 0; i < callers.size(); ++i) callers[i].on_decided(outcomes[i]);
}

}  // namespace outrigger::publish
