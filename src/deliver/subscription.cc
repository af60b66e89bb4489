#include "deliver/subscription.h"

#include <utility>

#include "base/json_text.h"
#include "event/data.h"

namespace outrigger::deliver {
namespace {

using telemetry::ConsumerOutcome;
using telemetry::ConsumerReason;

Ordering OrderingOf(config::Ordering ordering) {
  switch (ordering) {
    case config::Ordering::kPartition:
      return Ordering::kPartition;
    case config::Ordering::kNone:
      return Ordering::kNone;
    default:
      return Ordering::kKey;
  }
}

DispatchPolicy PolicyOf(const config::Subscription& config) {
  const config::Circuit& circuit = config.circuit;
  return {
      OrderingOf(config.ordering),
      config.deliver.concurrency,
      {config.retry.attempts, config.retry.backoff_initial, config.retry.backoff_max, {}},
      {circuit.failures, circuit.keys, circuit.window, circuit.probe_initial, circuit.probe_max}};
}

std::optional<ConsumerReason> MetricReason(Reason reason) {
  switch (reason) {
    case Reason::kTimeout:
      return ConsumerReason::kTimeout;
    case Reason::kRefused:
      return ConsumerReason::kRefused;
    case Reason::kStatus3xx:
      return ConsumerReason::kStatus3xx;
    case Reason::kStatus4xx:
      return ConsumerReason::kStatus4xx;
    case Reason::kStatus5xx:
      return ConsumerReason::kStatus5xx;
    case Reason::kUndecodable:
      return ConsumerReason::kUndecodable;
    case Reason::kNone:
      break;
  }
  return std::nullopt;
}

// What the order of an event is kept by.
std::optional<std::string> KeyOf(const kafka::Consumed& record, const event::Event& event) {
  if (record.key) return record.key;
  if (const auto key = event.Extension("partitionkey"); !key.empty()) return std::string(key);
  if (!event.subject.empty()) return event.subject;
  return std::nullopt;
}

}  // namespace

Subscription::Subscription(SubscriptionParts parts, http::Endpoint app, HandlerPath path,
                           event::Match match)
    : parts_(std::move(parts)),
      loop_(parts_.loop),
      match_(std::move(match)),
      topics_(parts_.config),
      app_(http::Name(app)),
      dispatcher_(PolicyOf(parts_.config), [this] { return random_(); }),
      transport_(loop_, parts_.config, app, std::move(path), parts_.json,
                 [this](uint64_t id, AttemptResult result) { OnResult(id, std::move(result)); }),
      health_(loop_, app, parts_.config.deliver.health),
      dead_letters_(
          loop_, parts_.config, parts_.sink, parts_.backlog,
          {.find = [this](uint64_t id) { return static_cast<Delivery*>(dispatcher_.Find(id)); },
           .on_written =
               [this](Delivery& delivery) {
                 Settle(delivery, ConsumerOutcome::kDeadLettered);
                 Turn();
               },
           .on_changed =
               [this] {
                 changed_ = true;
                 Turn();
               }}),
      series_(parts_.metrics.Subscription(name())),
      circuit_log_(name(), app_) {
  series_->circuit_open.Set(0);
  series_->in_flight.Set(0);
  health_.Watch([this] { return dispatcher_.state() == AppCircuit::State::kClosed; },
                [this] {
                  dispatcher_.OnUnhealthy(loop_.Now());
                  Turn();
                });
}

Subscription::~Subscription() = default;

base::Result<std::unique_ptr<Subscription>> Subscription::Create(SubscriptionParts parts) {
  std::vector<config::Problem> problems;
  const config::Text& url = parts.config.deliver.url;
  auto destination = http::ParseDestination(url.value);
  if (!destination) return base::Fail(destination.error());
  auto path = HandlerPath::Compile({destination->path, url.place, url.path}, problems);
  event::Match match = event::Match::Compile(parts.config.match, problems);
  if (config::HasErrors(problems)) return base::Fail(base::Error::Invalid(problems.front().text()));
  return std::unique_ptr<Subscription>(new Subscription(
      std::move(parts), std::move(destination->endpoint), std::move(path), std::move(match)));
}

void Subscription::Join(SubscribedPartition& partition) {
  partition.topic = &series_->Topic(partition.assigned->at().topic);
}

void Subscription::Leave(SubscribedPartition& partition) {
  for (auto& [offset, delivery] : partition.deliveries) {
    transport_.Cancel(delivery);
    dead_letters_.Forget(delivery.id);
    parts_.backlog.Remove(delivery);
  }
  dispatcher_.Remove(partition);
  partition.deliveries.clear();
  parts_.backlog.SetStuck(partition, 0);
  changed_ = true;
}

void Subscription::Take(SubscribedPartition& partition, const std::shared_ptr<Fetched>& fetched) {
  const kafka::Consumed& record = fetched->record;
  const ReadEvent& read = parts_.config.deliver.mode == config::DeliverMode::kRaw
                              ? fetched->Raw()
                              : fetched->Read(parts_.json);
  auto data = event::Data::Consumed(read.event, read.broken_data);
  std::string undecodable = read.undecodable;
  bool filtered = false;
  if (undecodable.empty()) {
    const auto matches = match_.Matches(read.event, data);
    filtered = matches && !*matches;
    if (!matches) undecodable = matches.error().message;
  } else {
    filtered = match_.Excludes(read.event, data);
  }
  const auto first_try = partition.first_tries.extract(record.offset);
  if (filtered) {
    (*partition.topic)[ConsumerOutcome::kFiltered].Increment();
    partition.offsets.Skip(record.offset);
    return parts_.touch(*partition.assigned);
  }
  if (dead_letters_.LeavesInTopic(record, false)) {
    (*partition.topic)[ConsumerOutcome::kDropped].Increment();
    partition.offsets.Settle(record.offset);
    return parts_.touch(*partition.assigned);
  }
  Delivery& delivery =
      partition.deliveries.try_emplace(partition.deliveries.end(), record.offset)->second;
  delivery.home = &partition;
  delivery.offset = record.offset;
  delivery.fetched = fetched;
  delivery.event = &read.event;
  delivery.key = KeyOf(record, read.event);
  if (first_try) delivery.first_tried = first_try.mapped();
  // It keeps its place: a dead-letter record that Kafka does not take holds its key like any other.
  if (!undecodable.empty()) {
    delivery.verdict = Undecodable(std::move(undecodable));
    (*partition.topic)[ConsumerReason::kUndecodable].Increment();
  }
  parts_.backlog.Add(delivery);
  dispatcher_.Add(delivery, fetched->at);
}

void Subscription::Turn() {
  const base::TimePoint now = loop_.Now();
  dispatcher_.OnTime(now);
  if (!held_ && dispatcher_.TakeProbe(now)) Probe();
  do {
    dispatcher_.TakeDecided(decided_);
    for (const auto& each : decided_) CarryOut(each);
    while (auto* next = held_ ? nullptr : dispatcher_.Next(now))
      Attempt(static_cast<Delivery&>(*next));
  } while (dispatcher_.has_decided());
  series_->in_flight.Set(static_cast<double>(dispatcher_.in_flight()));
  ShowCircuit(now);
  WakeLater(now);
  parts_.on_turned();
}

void Subscription::SetHeld(bool held) {
  held_ = held;
  TurnSoon();
}

void Subscription::TurnSoon() {
  wake_ = loop_.After(base::Duration::zero(), [this] { Turn(); });
}

void Subscription::WakeLater(base::TimePoint now) {
  if (held_) return;
  if (const auto next = dispatcher_.NextWake(now))
    wake_ = loop_.After(*next - now, [this] { Turn(); });
}

void Subscription::ShowCircuit(base::TimePoint now) {
  circuit_log_.Show(dispatcher_.state(), now);
  if (shown_ == dispatcher_.state()) return;
  shown_ = dispatcher_.state();
  const bool open = shown_ == AppCircuit::State::kDown || shown_ == AppCircuit::State::kDegraded;
  series_->circuit_open.Set(open ? 1 : 0);
  changed_ = true;
}

void Subscription::Probe() {
  health_.Probe([this](AppCircuit::Probe result) {
    dispatcher_.OnProbe(result, loop_.Now());
    Turn();
  });
}

void Subscription::Attempt(Delivery& delivery) {
  if (delivery.first_tried == base::WallTime{}) delivery.first_tried = loop_.Wall();
  const uint32_t attempt = delivery.home->offsets.attempts(delivery.offset) + 1;
  const auto sent = transport_.Send(delivery, attempt);
  if (sent) return;
  (*delivery.partition().topic)[ConsumerReason::kUndecodable].Increment();
  dispatcher_.OnUnsendable(delivery, Undecodable(sent.error().message));
}

void Subscription::OnResult(uint64_t id, AttemptResult result) {
  auto* delivery = static_cast<Delivery*>(dispatcher_.Find(id));
  if (!delivery) return;  // revoked meanwhile: not attempted
  delivery->call = 0;
  delivery->answer = std::move(result.answer);
  AssignedPartition& partition = *delivery->partition().assigned;
  const auto reason = MetricReason(result.verdict.reason);
  if (reason) (*delivery->partition().topic)[*reason].Increment();
  Log(*delivery, result.verdict, reason.has_value());
  dispatcher_.OnResult(*delivery, std::move(result), loop_.Now());
  parts_.touch(partition);
  Turn();
}

void Subscription::Log(const Delivery& delivery, const Verdict& verdict, bool failed) {
  if (uint64_t held_back; failed && failure_log_.Allow(loop_.Now(), held_back)) {
    telemetry::Log(telemetry::Level::kWarn, "the app did not take an event",
                   {{"subscription", name()},
                    {"id", delivery.event->id},
                    {"reason", std::string(Label(verdict.reason))},
                    {"detail", verdict.detail},
                    {"held_back", std::to_string(held_back)}});
  }
  if (verdict.unknown_word && !std::exchange(word_warned_, true)) {
    telemetry::Log(telemetry::Level::kWarn,
                   "the app answers with a status that is not known: its events count as done",
                   {{"subscription", name()},
                    {"id", delivery.event->id},
                    {"status", base::Excerpt(verdict.detail, 64)},
                    {"known", "SUCCESS, RETRY, DROP, DEAD_LETTER"}});
  }
}

void Subscription::CarryOut(const Dispatcher::Decided& decided) {
  auto& delivery = static_cast<Delivery&>(*decided.event);
  switch (decided.what) {
    case Dispatcher::What::kDelivered:
      return Settle(delivery, ConsumerOutcome::kDelivered);
    case Dispatcher::What::kDropped:
      return Settle(delivery, ConsumerOutcome::kDropped);
    case Dispatcher::What::kGivenUp:
      return GiveUp(delivery);
    case Dispatcher::What::kRetried:
      (*delivery.partition().topic)[ConsumerOutcome::kRetried].Increment();
      break;
    case Dispatcher::What::kNoted:
      break;
  }
  parts_.touch(*delivery.partition().assigned);
}

void Subscription::GiveUp(Delivery& delivery) {
  if (dead_letters_.LeavesInTopic(delivery.record(), true))
    return Settle(delivery, ConsumerOutcome::kDropped);
  if (!parts_.config.dead_letter.empty()) return dead_letters_.Write(delivery);
  dead_letters_.Hold(delivery);
  dispatcher_.RetryGivenUp(delivery, loop_.Now());
  changed_ = true;
}

void Subscription::Settle(Delivery& delivery, ConsumerOutcome outcome) {
  SubscribedPartition& home = delivery.partition();
  (*home.topic)[outcome].Increment();
  series_->latency.Observe(
      std::chrono::duration<double>(loop_.Now() - delivery.fetched->at).count());
  if (delivery.waits)
    parts_.backlog.Remove(delivery);
  else
    parts_.backlog.SetStuck(home, home.stuck_bytes - delivery.record().bytes());
  changed_ = dead_letters_.Forget(delivery.id) || changed_;
  dispatcher_.Settle(delivery);
  parts_.touch(*home.assigned);
  home.deliveries.erase(delivery.offset);  // and the delivery with it
}

void Subscription::AddCauses(telemetry::Causes& causes) const {
  using telemetry::Status;
  if (dispatcher_.state() == AppCircuit::State::kDown)
    causes.Add(Status::kFalse, "AppDown", app_ + " can't be reached or is unhealthy");
  if (dispatcher_.state() == AppCircuit::State::kDegraded)
    causes.Add(Status::kFalse, "AppDegraded",
               "the app fails for every key; it is tried one event at a time");
  dead_letters_.AddCauses(causes);
}

}  // namespace outrigger::deliver
