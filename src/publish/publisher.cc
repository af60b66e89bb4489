#include "publish/publisher.h"

#include <algorithm>

#include "base/ids.h"
#include "base/json_text.h"
#include "event/cloudevents.h"
#include "publish/pending.h"
#include "publish/refusal.h"

namespace outrigger::publish {
namespace {

using telemetry::ProducerOutcome;
using telemetry::ProducerReason;

// The label of events that no route took.
constexpr char kNoTopic[] = "none";
// The topics that get their series before their first event.
constexpr size_t kEagerSeries = 256;

bool AllSafe(const Outcome& outcome) {
  return !outcome.targets.empty() &&
         std::all_of(outcome.targets.begin(), outcome.targets.end(),
                     [](const Target& target) { return target.safe(); });
}

// A hash of an event, to distinguish a retry from another event with the same id.
uint64_t Fingerprint(std::initializer_list<std::optional<std::string_view>> parts) {
  const std::hash<std::optional<std::string_view>> hash;
  uint64_t sum = 0;
  for (const auto& part : parts) sum ^= hash(part) + 0x9e3779b97f4a7c15 + (sum << 6) + (sum >> 2);
  return sum;
}

}  // namespace

Publisher::Publisher(base::Loop& loop, kafka::Producer* producer, telemetry::Metrics& metrics,
                     PublisherOptions options)
    : loop_(loop),
      producer_(producer),
      metrics_(metrics),
      options_(std::move(options)),
      known_(options_.known_events, options_.known_for, options_.known_bytes),
      last_publish_(loop.Now()) {}

Publisher::~Publisher() = default;

void Publisher::SetRoutes(std::shared_ptr<const Routes> routes) {
  routes_ = std::move(routes);
  decltype(topics_of_template_) kept;
  for (const auto& rule : routes_->rules())
    kept.insert(topics_of_template_.extract(rule.topic.text()));
  topics_of_template_ = std::move(kept);
  Series(kNoTopic);
  for (const auto& rule : routes_->rules()) {
    if (rule.index == kEagerSeries) break;
    Series(rule.topic.text());
  }
}

void Publisher::SetOptions(const PublisherOptions& options) {
  options_ = options;
  ArmDeadline();
}

const telemetry::ProducerTopic& Publisher::Series(const std::string& label) {
  const auto found = series_.find(label);
  if (found != series_.end()) return found->second;
  return series_.emplace(label, metrics_.Producer(label)).first->second;
}

void Publisher::Refuse(const std::string& label, ProducerReason reason, http::Problem problem,
                       const OnDecided& on_decided, bool dead_lettered) {
  const auto& series = Series(label);
  if (!dead_lettered) series[ProducerOutcome::kFailed].Increment();
  series[reason].Increment();
  Outcome outcome;
  outcome.id = problem.id;
  outcome.Refuse(std::move(problem));
  on_decided(outcome);
}

void Publisher::RefuseUnread(http::Problem problem, const OnDecided& on_decided) {
  const auto reason = problem.status == 413 ? ProducerReason::kTooLarge : ProducerReason::kInvalid;
  Refuse(kNoTopic, reason, std::move(problem), on_decided);
}

void Publisher::Publish(event::Event event, const Ask& ask, OnDecided on_decided) {
  last_publish_ = loop_.Now();
  ask.Complete(event);
  const bool callers_id = !event.id.empty();
  const auto malformed = [&](const base::Error& error) {
    Refuse(kNoTopic, ProducerReason::kInvalid, MakeProblem(400, event.id, error.message),
           on_decided);
  };
  if (auto complete = Complete(event, options_.source, loop_.Wall()); !complete)
    return malformed(complete.error());
  if (auto legal = event::CheckAttributes(event); !legal) return malformed(legal.error());
  if (auto text = event::CheckAttributeValues(event); !text) return malformed(text.error());

  event::Data data(event);
  auto rules = routes_->Select(event, data);
  if (!rules) return malformed(rules.error());
  if (rules->empty()) {
    return Refuse(kNoTopic, ProducerReason::kNoRoute,
                  MakeProblem(404, event.id,
                              "no route takes an event of type \"" + base::Excerpt(event.type) +
                                  "\"; `outrigger explain` says why not"),
                  on_decided);
  }
  if (ask.ack == config::Ack::kDisk) {
    return Refuse(rules->front()->topic.text(), ProducerReason::kInvalid,
                  MakeProblem(501, event.id, kNoDisk), on_decided);
  }
  if (!callers_id) return Send(*rules, std::move(event), ask, nullptr, std::move(on_decided));

  const bool wait = std::any_of(rules->begin(), rules->end(),
                                [&ask](const Rule* rule) { return WaitsForKafka(*rule, ask); });
  const uint64_t fingerprint = Fingerprint({event.type, event.subject, event.key, event.data});
  KnownEvent* known = Recall(KnownEvents::Name(event.source, event.id), fingerprint, event.id,
                             rules->front()->topic.text(), wait, on_decided);
  if (known) Send(*rules, std::move(event), ask, known, std::move(on_decided));
}

KnownEvent* Publisher::Recall(std::string name, uint64_t fingerprint, const std::string& id,
                              const std::string& label, bool wait, OnDecided& on_decided) {
  KnownEvent* known = known_.Find(name, loop_.Now());
  if (!known) return &known_.Add(std::move(name), fingerprint);
  if (known->fingerprint != fingerprint) {
    Refuse(label, ProducerReason::kInvalid,
           MakeProblem(409, id, "this id was published with another body"), on_decided);
  } else if (known->pending) {
    if (!wait) {
      AnswerQueued(*known->pending, on_decided);
    } else if (joined_ >= options_.max_joined) {
      http::Problem problem = MakeProblem(
          503, id, "the event is in flight already, and too many callers wait for such events");
      problem.outcome = "unknown";
      problem.retry_after = kRetryAfterSeconds;
      Refuse(label, ProducerReason::kBroker, std::move(problem), on_decided);
    } else {
      Await(*known->pending, std::move(on_decided), true);
    }
  } else if (AllSafe(known->outcome)) {
    on_decided(known->outcome);
  } else {
    return known;
  }
  return nullptr;
}

void Publisher::PublishRaw(event::Record record, const std::string& label, const Ask& ask,
                           OnDecided on_decided) {
  last_publish_ = loop_.Now();
  const bool callers_id = !ask.id.empty();
  std::string id = callers_id ? ask.id : base::NewUuid7(loop_.Wall());
  const config::Ack ack = ask.ack.value_or(config::Ack::kKafka);
  if (ack == config::Ack::kDisk)
    return Refuse(label, ProducerReason::kInvalid, MakeProblem(501, id, kNoDisk), on_decided);
  const bool wait = ack == config::Ack::kKafka;
  KnownEvent* known = nullptr;
  if (callers_id) {
    // No event's source has a line's end, so no event has this name.
    known = Recall(KnownEvents::Name('\n' + record.topic, id),
                   Fingerprint({record.key, record.value}), id, label, wait, on_decided);
    if (!known) return;
  }
  Outcome outcome;
  outcome.id = std::move(id);
  outcome.targets.emplace_back().topic = record.topic;
  const bool keyed = record.key.has_value();
  std::vector<Part> parts;
  parts.push_back({{std::move(record), keyed}, {&Series(label), {}}, wait});
  Start(std::move(parts), std::move(outcome), known, ask, std::move(on_decided));
}

}  // namespace outrigger::publish
