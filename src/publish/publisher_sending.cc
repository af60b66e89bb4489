// From a new event to its records in the producer.
#include <algorithm>

#include "publish/pending.h"
#include "publish/publisher.h"
#include "publish/refusal.h"

namespace outrigger::publish {

using telemetry::ProducerOutcome;
using telemetry::ProducerReason;

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
      if (known && known->undecided) known_.Forget(*known);
      return Refuse(rule->topic.text(), refused.reason, std::move(refused.problem), on_decided,
                    refused.dead_lettered);
    }
    Target& target = outcome.targets.emplace_back();
    target.topic = part->prepared.record.topic;
    // A retry of an event that is safe in some topics skips those. By place, since two rules may
    // lead to one topic; where a reload moved the rules, it is sent again.
    if (const size_t at = parts.size(); known && at < known->outcome.targets.size()) {
      const Target& earlier = known->outcome.targets[at];
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
    refusal.problem = MakeProblem(status, {}, std::move(detail));
    refusal.problem.limit = std::move(limit);
    return tl::unexpected(std::move(refusal));
  };
  const auto& series = Series(rule.topic.text());
  auto prepared = Prepare(rule, std::move(event), loop_.Wall());
  if (!prepared) {
    Refused& refusal = prepared.error();
    if (refusal.dead_letter && producer_)
      refusal.dead_lettered =
          GiveDeadLetter(std::move(*refusal.dead_letter), series, refusal.problem);
    return tl::unexpected(std::move(refusal));
  }
  if (std::string over = TopicOverBudget(rule, prepared->record.topic); !over.empty())
    return refused(422, std::move(over), rule.path + ".maxTopics");
  if (rule.key && !prepared->keyed) series.unkeyed.Increment();
  return Part{std::move(*prepared), {&series, rule.dead_letter}, WaitsForKafka(rule, ask)};
}

std::string Publisher::TopicOverBudget(const Rule& rule, const std::string& topic) {
  if (rule.topic.constant()) return {};
  auto& topics = topics_of_template_[rule.topic.text()];
  if (topics.contains(topic)) return {};
  if (topics.size() >= rule.max_topics)
    return rule.path + ".topic has given " + std::to_string(topics.size()) +
           " topics already, and \"" + topic + "\" would be one more than maxTopics allows";
  topics.insert(topic);
  return {};
}

std::optional<http::Problem> Publisher::NotNow(const event::Record& record, bool wait_for_kafka,
                                               const Sequence* sequence) {
  http::Problem problem = MakeProblem(503, {}, {});
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
  if (auto refusal = producer_->Admit(record)) {
    return ToProblem(*refusal, {});
  }
  return std::nullopt;
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
  if (known) known_.Open(*known, pending);
  const bool wait =
      std::any_of(parts.begin(), parts.end(), [](const Part& part) { return part.wait_for_kafka; });
  pending.undecided = 1;  // this call: nothing is decided before every record was handed over
  pending.destinations.reserve(parts.size());
  for (size_t i = 0; i < parts.size(); ++i) Hand(pending, i, std::move(parts[i]));
  if (wait || pending.undecided == 1) {
    Await(pending, std::move(on_decided), false);
  } else {
    AnswerQueued(pending, on_decided);
  }
  if (--pending.undecided == 0) Decide(pending);
}

void Publisher::Hand(Pending& pending, size_t index, Part part) {
  Target& target = pending.outcome.targets[index];
  const telemetry::ProducerTopic& series = *part.destination.series;
  pending.destinations.push_back(std::move(part.destination));
  if (target.safe()) return;
  if (!producer_) {
    target.status = Target::Status::kDiscarded;
    series[ProducerOutcome::kDiscarded].Increment();
    if (uint64_t held_back; discard_log_.Allow(loop_.Now(), held_back))
      telemetry::Log(
          telemetry::Level::kWarn,
          "Kafka is disabled (KAFKA_ENABLED=false): events are answered 202 and discarded");
    return;
  }
  event::Record& record = part.prepared.record;
  if (auto problem = NotNow(record, part.wait_for_kafka, pending.sequence.get())) {
    problem->id = pending.outcome.id;
    const bool passes = problem->status == 503;
    target.Fail(std::move(*problem));
    series[ProducerOutcome::kFailed].Increment();
    series[passes ? ProducerReason::kBroker : ProducerReason::kTooLarge].Increment();
    if (passes && pending.sequence) pending.sequence->Stop(record);
    return;
  }
  ++pending.undecided;
  producer_->Produce(std::move(record),
                     [at = &pending, index](const kafka::Report& report, event::Record& sent) {
                       at->publisher->OnReport(*at, index, report, sent);
                     });
}

}  // namespace outrigger::publish
