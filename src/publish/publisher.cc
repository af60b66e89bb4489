#include "publish/publisher.h"

#include <algorithm>

#include "event/cloudevents.h"
#include "publish/dead_letter.h"
#include "publish/pending.h"

namespace outrigger::publish {
namespace {

using telemetry::ProducerOutcome;
using telemetry::ProducerReason;

constexpr int kRetryAfterSeconds = 1;
// Events that no rule took have no topic to be counted under.
constexpr char kNoTopic[] = "none";
// So many topics get their series before the first event; beyond, with it.
constexpr size_t kEagerSeries = 256;

ProducerReason MetricReason(kafka::Reason reason) {
  switch (reason) {
    case kafka::Reason::kTooLarge:
      return ProducerReason::kTooLarge;
    case kafka::Reason::kUnknownTopic:
      return ProducerReason::kUnknownTopic;
    case kafka::Reason::kUnauthorized:
      return ProducerReason::kUnauthorized;
    case kafka::Reason::kTimeout:
      return ProducerReason::kTimeout;
    case kafka::Reason::kInvalid:
      return ProducerReason::kInvalid;
    case kafka::Reason::kBroker:
    case kafka::Reason::kQueueFull:
      break;
  }
  return ProducerReason::kBroker;
}

constexpr char kNoDisk[] = "ack: disk is not in this version; ask for kafka or memory";

http::Problem Problem(int status, std::string id, std::string detail) {
  http::Problem problem;
  problem.status = status;
  problem.id = std::move(id);
  problem.detail = std::move(detail);
  return problem;
}

bool AllSafe(const Outcome& outcome) {
  return !outcome.targets.empty() &&
         std::all_of(outcome.targets.begin(), outcome.targets.end(),
                     [](const Target& target) { return target.safe(); });
}

http::Problem ToProblem(const kafka::Refusal& refusal, const std::string& id) {
  http::Problem problem;
  problem.id = id;
  problem.detail = refusal.error.message;
  if (!refusal.error.hint.empty()) problem.detail += "; " + refusal.error.hint;
  problem.outcome = refusal.possibly_stored ? "unknown" : "none";
  switch (refusal.reason) {
    case kafka::Reason::kTooLarge:
      problem.status = 413;
      problem.limit = "max.message.bytes";
      return problem;
    case kafka::Reason::kInvalid:
      problem.status = 422;
      return problem;
    default:
      problem.status = 503;
      problem.retry_after = kRetryAfterSeconds;
      return problem;
  }
}

// What an event says, for telling a retry from another event under the same id.
uint64_t Fingerprint(const event::Event& event) {
  const std::hash<std::string_view> hash;
  uint64_t sum = 0;
  const auto mix = [&](std::string_view text) {
    sum ^= hash(text) + 0x9e3779b97f4a7c15 + (sum << 6) + (sum >> 2);
  };
  mix(event.type);
  mix(event.subject);
  mix(event.key.value_or(std::string()));
  mix(event.data.value_or(std::string()));
  return sum;
}

}  // namespace

// A record on its way to the producer.
struct Publisher::Part {
  Prepared prepared;
  const telemetry::ProducerTopic* series;
  std::string dead_letter;
  bool wait_for_kafka = true;
};

Publisher::Publisher(base::Loop& loop, kafka::Producer* producer, telemetry::Metrics& metrics,
                     PublisherOptions options)
    : loop_(loop),
      producer_(producer),
      metrics_(metrics),
      options_(std::move(options)),
      known_(options_.known_events, options_.known_for),
      last_publish_(loop.Now()) {}

Publisher::~Publisher() = default;

void Publisher::SetRoutes(std::shared_ptr<const Routes> routes) {
  routes_ = std::move(routes);
  topics_of_rule_.assign(routes_->rules().size(), {});
  Series(kNoTopic);
  for (const auto& rule : routes_->rules()) {
    if (rule.index == kEagerSeries) break;
    Series(rule.topic.text());
  }
}

const telemetry::ProducerTopic& Publisher::Series(const std::string& label) {
  const auto found = series_.find(label);
  if (found != series_.end()) return found->second;
  return series_.emplace(label, metrics_.Producer(label)).first->second;
}

void Publisher::Refuse(const std::string& label, ProducerReason reason, http::Problem problem,
                       const OnDecided& on_decided, bool lettered) {
  const auto& series = Series(label);
  if (!lettered) series[ProducerOutcome::kFailed].Increment();
  series[reason].Increment();
  Outcome outcome;
  outcome.id = problem.id;
  outcome.problem = std::move(problem);
  on_decided(outcome);
}

std::string Publisher::TopicOverBudget(const Rule& rule, const std::string& topic) {
  if (rule.topic.constant()) return {};
  auto& topics = topics_of_rule_[rule.index];
  if (topics.contains(topic)) return {};
  if (topics.size() >= rule.max_topics)
    return rule.path + ".topic has given " + std::to_string(topics.size()) +
           " topics already, and \"" + topic + "\" would be one more than maxTopics allows";
  topics.insert(topic);
  return {};
}

std::optional<http::Problem> Publisher::NotNow(const event::Record& record, bool wait_for_kafka,
                                               const Sequence* sequence) {
  http::Problem problem = Problem(503, {}, {});
  problem.outcome = "none";
  problem.retry_after = kRetryAfterSeconds;
  if (sequence && sequence->Stopped(record)) {
    problem.detail =
        "an earlier event of the same key failed and may be tried again: this one was not tried";
    return problem;
  }
  const auto& connection = producer_->connection();
  if (wait_for_kafka && !connection.connected &&
      loop_.Now() - connection.since > options_.away_after) {
    problem.detail = "Kafka can't be reached";
    if (!connection.last_error.empty()) problem.detail += ": " + connection.last_error;
    return problem;
  }
  if (auto refusal = producer_->Admit(record)) return ToProblem(*refusal, {});
  return std::nullopt;
}

void Publisher::Publish(event::Event event, const Ask& ask, OnDecided on_decided) {
  last_publish_ = loop_.Now();
  const bool callers_id = !event.id.empty();
  const auto malformed = [&](const base::Error& error) {
    Refuse(kNoTopic, ProducerReason::kInvalid, Problem(400, event.id, error.message), on_decided);
  };
  if (auto complete = Complete(event, options_.source, loop_.Wall()); !complete)
    return malformed(complete.error());
  if (auto legal = event::CheckAttributes(event); !legal) return malformed(legal.error());

  event::Data data(event);
  auto rules = routes_->Select(event, data);
  if (!rules) return malformed(rules.error());
  if (rules->empty()) {
    return Refuse(kNoTopic, ProducerReason::kNoRoute,
                  Problem(404, event.id,
                          "no route takes an event of type \"" + event.type +
                              "\"; `outrigger explain` says why not"),
                  on_decided);
  }
  if (!callers_id) return Send(*rules, std::move(event), ask, nullptr, std::move(on_decided));

  // A retry is an event of the same source and id within the window.
  std::string name = KnownEvents::Name(event.source, event.id);
  const uint64_t fingerprint = Fingerprint(event);
  KnownEvent* known = known_.Find(name, loop_.Now());
  if (!known) {
    known = known_.Add(std::move(name), fingerprint, loop_.Now());
  } else if (known->fingerprint != fingerprint) {
    return Refuse(
        rules->front()->topic.text(), ProducerReason::kInvalid,
        Problem(409, event.id, "an event with this source and id was published with another body"),
        on_decided);
  } else if (known->pending) {
    return Join(*known->pending, std::move(on_decided));
  } else if (AllSafe(known->outcome)) {
    return on_decided(known->outcome);
  }
  Send(*rules, std::move(event), ask, known, std::move(on_decided));
}

void Publisher::Send(const std::vector<const Rule*>& rules, event::Event event, const Ask& ask,
                     KnownEvent* known, OnDecided on_decided) {
  // Every rule's record first: an event that one rule refuses is refused whole, before anything is
  // sent.
  std::vector<Part> parts;
  Outcome outcome;
  outcome.id = event.id;
  parts.reserve(rules.size());
  outcome.targets.reserve(rules.size());
  for (const Rule* rule : rules) {
    const bool last = rule == rules.back();
    // NOLINTNEXTLINE(bugprone-use-after-move): the last rule alone gets it
    auto part = MakePart(*rule, last ? std::move(event) : event, ask);
    if (!part) {
      Refused& refused = part.error();
      refused.problem.id = outcome.id;
      if (known && known->outcome.targets.empty()) known_.Forget(known);
      return Refuse(rule->topic.text(), refused.reason, std::move(refused.problem), on_decided,
                    refused.lettered);
    }
    Target& target = outcome.targets.emplace_back();
    target.topic = part->prepared.record.topic;
    // A retry of an event that is safe in some topics skips those.
    if (known) {
      for (const auto& earlier : known->outcome.targets)
        if (earlier.topic == target.topic && earlier.safe()) target = earlier;
    }
    parts.push_back(std::move(*part));
  }
  Start(std::move(parts), std::move(outcome), known, ask, std::move(on_decided));
}

tl::expected<Publisher::Part, Refused> Publisher::MakePart(const Rule& rule, event::Event event,
                                                           const Ask& ask) {
  const auto refused = [](int status, std::string detail, std::string limit) {
    Refused refusal;
    refusal.problem = Problem(status, {}, std::move(detail));
    refusal.problem.limit = std::move(limit);
    return tl::unexpected(std::move(refusal));
  };
  const config::Ack ack = ask.ack.value_or(rule.ack);
  if (ack == config::Ack::kDisk) return refused(501, kNoDisk, {});
  const auto& series = Series(rule.topic.text());
  auto prepared = Prepare(rule, std::move(event), loop_.Wall());
  if (!prepared) {
    Refused& refusal = prepared.error();
    if (refusal.dead_letter && producer_) {
      refusal.problem.detail += "; it was given to " + refusal.dead_letter->topic;
      SendDeadLetter(std::move(*refusal.dead_letter), series);
      refusal.lettered = true;
    }
    return tl::unexpected(std::move(refusal));
  }
  if (std::string over = TopicOverBudget(rule, prepared->record.topic); !over.empty())
    return refused(422, std::move(over), rule.path + ".maxTopics");
  if (rule.key && !prepared->keyed) series.unkeyed.Increment();
  return Part{std::move(*prepared), &series, rule.dead_letter, ack == config::Ack::kKafka};
}

void Publisher::PublishRaw(event::Record record, std::string id, const std::string& label,
                           const Ask& ask, OnDecided on_decided) {
  last_publish_ = loop_.Now();
  const config::Ack ack = ask.ack.value_or(config::Ack::kKafka);
  if (ack == config::Ack::kDisk)
    return Refuse(label, ProducerReason::kInvalid, Problem(501, id, kNoDisk), on_decided);
  Outcome outcome;
  outcome.id = std::move(id);
  outcome.targets.emplace_back().topic = record.topic;
  const bool keyed = record.key.has_value();
  std::vector<Part> parts;
  parts.push_back({{std::move(record), keyed}, &Series(label), {}, ack == config::Ack::kKafka});
  Start(std::move(parts), std::move(outcome), nullptr, ask, std::move(on_decided));
}

void Publisher::Start(std::vector<Part> parts, Outcome outcome, KnownEvent* known, const Ask& ask,
                      OnDecided on_decided) {
  Pending& pending = pending_.emplace_back();
  pending.publisher = this;
  pending.self = std::prev(pending_.end());
  pending.outcome = std::move(outcome);
  pending.accepted = loop_.Now();
  pending.known = known;
  pending.sequence = ask.sequence;
  if (known) known->pending = &pending;
  const bool wait =
      std::any_of(parts.begin(), parts.end(), [](const Part& part) { return part.wait_for_kafka; });
  pending.undecided = 1;  // this call: nothing is decided before every record was handed over
  for (size_t i = 0; i < parts.size(); ++i) Hand(pending, i, std::move(parts[i]));
  if (wait || pending.undecided == 1) {
    pending.waiters.push_back({std::move(on_decided), loop_.Now() + options_.ack_timeout});
    if (!deadline_timer_.armed()) ArmDeadline();
  } else {
    // The caller asked not to wait: it is answered now, and the event goes on without a waiter.
    Outcome queued = pending.outcome;
    for (auto& target : queued.targets)
      if (target.status == Target::Status::kUndecided) target.status = Target::Status::kQueued;
    on_decided(queued);
  }
  if (--pending.undecided == 0) Decide(pending);
}

void Publisher::Hand(Pending& pending, size_t index, Part part) {
  Target& target = pending.outcome.targets[index];
  pending.series.push_back(part.series);
  pending.dead_letters.push_back(std::move(part.dead_letter));
  if (target.safe()) return;
  if (!producer_) {
    target.status = Target::Status::kDiscarded;
    (*part.series)[ProducerOutcome::kDiscarded].Increment();
    if (uint64_t held_back; discard_log_.Allow(loop_.Now(), held_back))
      telemetry::Log(
          telemetry::Level::kWarn,
          "Kafka is disabled (KAFKA_ENABLED=false): events are answered 202 and discarded");
    return;
  }
  event::Record& record = part.prepared.record;
  if (auto problem = NotNow(record, part.wait_for_kafka, pending.sequence.get())) {
    problem->id = pending.outcome.id;
    target.status = Target::Status::kFailed;
    target.problem = std::move(*problem);
    (*part.series)[ProducerOutcome::kFailed].Increment();
    (*part.series)[ProducerReason::kBroker].Increment();
    if (pending.sequence) pending.sequence->Stop(record);
    return;
  }
  ++pending.undecided;
  producer_->Produce(std::move(record),
                     [at = &pending, index](const kafka::Report& report, event::Record& sent) {
                       at->publisher->OnReport(*at, index, report, sent);
                     });
}

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
    known->pending = nullptr;
    const bool nothing_safe =
        std::none_of(pending.outcome.targets.begin(), pending.outcome.targets.end(),
                     [](const Target& target) { return target.safe(); });
    if (nothing_safe) {
      known_.Forget(known);
    } else {
      known->outcome = pending.outcome;
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
        target.problem.emplace(Problem(503, unknown.id,
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
