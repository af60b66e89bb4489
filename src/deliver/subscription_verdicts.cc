// What the app said, and what follows from it.
#include "base/json_text.h"
#include "deliver/retry.h"
#include "deliver/subscription.h"

namespace outrigger::deliver {
namespace {

using telemetry::ConsumerOutcome;
using telemetry::ConsumerReason;
using Action = Verdict::Action;
using Fate = AppCircuit::Fate;
using Kind = AppCircuit::Kind;

constexpr size_t kAnswerKept = 1024;  // of what a letter tells
constexpr std::chrono::seconds kLetterAgain{1}, kLongestAgain{30};
constexpr auto kProbeTimeout = std::chrono::milliseconds(800);

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

Kind KindOf(const Verdict& verdict, const http::Outcome& outcome) {
  if (!outcome && outcome.error().failure == http::Failure::kRefused) return Kind::kRefused;
  if (!outcome && outcome.error().failure == http::Failure::kCut) return Kind::kCut;
  if (!outcome && outcome.error().failure == http::Failure::kTimeout)
    return outcome.error().unread ? Kind::kUnread : Kind::kTimeout;
  if (verdict.action == Action::kRejected) return Kind::kRejected;
  if (verdict.action == Action::kRetry) return Kind::kFailure;
  return Kind::kSuccess;
}

}  // namespace

uint64_t Subscription::CircuitKey(const Delivery& delivery) const {
  // An event without a key has one of its own.
  return delivery.key ? std::hash<std::string>()(*delivery.key) : delivery.id;
}

void Subscription::OnAnswer(uint64_t id, const http::Outcome& outcome) {
  const auto found = deliveries_.find(id);
  if (found == deliveries_.end()) return;  // revoked meanwhile: not attempted
  Delivery& delivery = *found->second;
  delivery.call = 0;
  const base::TimePoint now = loop_.Now();
  delivery.failed =
      outcome ? ReadVerdict(json_, *outcome, loop_.Wall()) : VerdictOn(outcome.error());
  delivery.answer = outcome ? base::Excerpt(outcome->body, kAnswerKept) : std::string();
  const Verdict& verdict = delivery.failed;
  if (const auto reason = MetricReason(verdict.reason)) {
    (*delivery.home->topic)[*reason].Increment();
    if (uint64_t held_back; failure_log_.Allow(now, held_back)) {
      telemetry::Log(telemetry::Level::kWarn, "the app did not take an event",
                     {{"subscription", config_.name},
                      {"id", delivery.event.id},
                      {"reason", std::string(Label(verdict.reason))},
                      {"detail", verdict.detail},
                      {"held_back", std::to_string(held_back)}});
    }
  }
  if (verdict.unknown_word && !std::exchange(word_warned_, true)) {
    telemetry::Log(telemetry::Level::kWarn,
                   "the app answers with a status that is not known: its events count as done",
                   {{"subscription", config_.name},
                    {"id", delivery.event.id},
                    {"status", base::Excerpt(verdict.detail, 64)},
                    {"known", "SUCCESS, RETRY, DROP, DEAD_LETTER"}});
  }
  // Retry-After speaks of the app, a verdict's `delay` of the event.
  const auto asked = outcome && outcome->status >= 300 ? verdict.wait : std::nullopt;
  const Kind kind = KindOf(verdict, outcome);
  auto decision = circuit_.OnResult(id, CircuitKey(delivery), kind, now, asked);
  const Fate fate = decision.fate;
  Adapt(delivery, kind, decision.overloaded);
  lanes_.set_failed_last(circuit_.state() == AppCircuit::State::kHalfDown);
  Partition& home = *delivery.home;
  Rule(delivery, fate);
  Apply(std::move(decision));
  if (home.revoked()) GiveBackIfSettled(home);
  Pump();
  UpdatePauses();
}

// As many calls at once as the app answers.
void Subscription::Adapt(const Delivery& delivery, Kind kind, bool overloaded) {
  const base::TimePoint now = loop_.Now();
  if (overloaded)
    concurrency_.OnOverload(lanes_.in_flight(), delivery.begun, now);
  else if (kind == Kind::kSuccess)
    concurrency_.OnAnswer(lanes_.in_flight(), now);
  lanes_.set_concurrency(concurrency_.limit());
}

// What becomes of a delivery whose result the circuit has ruled on.
void Subscription::Rule(Delivery& delivery, Fate fate) {
  switch (fate) {
    case Fate::kGiveBack:
      if (const auto& wait = delivery.failed.wait)
        return lanes_.RetryAt(&delivery, loop_.Now() + *wait);
      return lanes_.GiveBack(&delivery, circuit_.state() == AppCircuit::State::kHalfDown
                                            ? Lanes::Turn::kLast
                                            : Lanes::Turn::kFirst);
    case Fate::kHold:
      return lanes_.Park(&delivery);
    case Fate::kDeadLetter:
      return GiveUp(delivery);
    case Fate::kCount:
      break;
  }
  switch (delivery.failed.action) {
    case Action::kDone:
      return Settle(delivery, ConsumerOutcome::kDelivered);
    case Action::kDrop:
      return Settle(delivery, ConsumerOutcome::kDropped);
    case Action::kDeadLetter:
      return GiveUp(delivery);
    case Action::kRetry:
    case Action::kRejected:
      return Retry(delivery);
    case Action::kAppDown:
    case Action::kCancelled:
      return lanes_.GiveBack(&delivery);
  }
}

void Subscription::Apply(AppCircuit::Decision decision) {
  for (const auto& ruling : decision.held)
    if (const auto found = deliveries_.find(ruling.id); found != deliveries_.end())
      Rule(*found->second, ruling.fate);
  for (const auto& back : decision.uncount) {
    const auto found = deliveries_.find(back.id);
    if (found == deliveries_.end()) continue;
    Delivery& delivery = *found->second;
    auto& offsets = delivery.home->offsets;
    const uint32_t attempts = offsets.attempts(delivery.offset);
    offsets.SetAttempts(delivery.offset, attempts - std::min(attempts, back.attempts));
    UseRoom(*delivery.home);
  }
  if (!decision.uncount.empty()) CommitLater();
  lanes_.set_failed_last(circuit_.state() == AppCircuit::State::kHalfDown);
  if (decision.opened || decision.closed) {
    telemetry::Log(decision.opened ? telemetry::Level::kWarn : telemetry::Level::kInfo,
                   decision.opened ? "the app is down or half down: delivery waits for it"
                                   : "the app is back: delivery goes on",
                   {{"subscription", config_.name}, {"app", http::Name(app_)}});
    ShowState();
  }
}

void Subscription::Retry(Delivery& delivery) {
  Partition& home = *delivery.home;
  const uint32_t tried = home.offsets.attempts(delivery.offset) + 1;
  const RetryPolicy policy{
      config_.retry.attempts, config_.retry.backoff_initial, config_.retry.backoff_max, {}};
  auto wait = NextWait(policy, tried, delivery.failed.wait, [this] { return random_(); });
  if (!wait) return GiveUp(delivery);
  home.offsets.SetAttempts(delivery.offset, tried);
  (*home.topic)[ConsumerOutcome::kRetried].Increment();
  delivery.next_try = loop_.Now() + *wait;
  delivery.counted_version = home.offsets.version();
  // The next try begins when this count is committed.
  lanes_.Park(&delivery);
  home.awaiting_commit.push_back(delivery.id);
  CommitLater();
}

// It can't succeed, or has been tried often enough.
void Subscription::GiveUp(Delivery& delivery) {
  lanes_.Park(&delivery);
  if (!config_.dead_letter.empty() && Generation(delivery.record) >= kMaxGeneration)
    return LeaveInTopic(delivery);
  if (!config_.dead_letter.empty()) return SendDeadLetter(delivery, Story::kWhole);
  const RetryPolicy policy{
      config_.retry.attempts, config_.retry.backoff_initial, config_.retry.backoff_max, {}};
  const auto wait = StuckWait(policy, delivery.failed.wait, [this] { return random_(); });
  const std::string id = delivery.event.id.empty() ? "" : delivery.event.id + " ";
  ShowStuck(delivery, "event " + id + "of " + delivery.record.topic + "/" +
                          std::to_string(delivery.record.partition) + " at " +
                          std::to_string(delivery.offset) + " can't be delivered (" +
                          delivery.failed.detail +
                          ") and holds its key; name a deadLetter topic, or mend the handler");
  if (delivery.failed.hopeless()) return;
  lanes_.RetryAt(&delivery, loop_.Now() + wait);
}

void Subscription::ShowStuck(const Delivery& delivery, std::string why) {
  stuck_[delivery.id] = std::move(why);
  ShowState();
}

// It has gone round often enough: a copy is in each topic on its way, and no other is written.
void Subscription::LeaveInTopic(Delivery& delivery) {
  if (uint64_t held_back; left_log_.Allow(loop_.Now(), held_back)) {
    const auto& record = delivery.record;
    telemetry::Log(
        telemetry::Level::kError,
        "a record has been a dead-letter record too often: it stays in its topic, and is "
        "neither delivered nor written again",
        {{"subscription", config_.name},
         {"topic", record.topic},
         {"partition", std::to_string(record.partition)},
         {"offset", std::to_string(record.offset)},
         {"generation", std::to_string(Generation(record))},
         {"held_back", std::to_string(held_back)}});
  }
  Settle(delivery, ConsumerOutcome::kDropped);
}

void Subscription::SendDeadLetter(Delivery& delivery, Story story) {
  const bool tried = delivery.first_tried != base::WallTime{};
  Letter letter;
  letter.reason = ReasonOf(delivery.failed);
  letter.status = delivery.failed.status;
  letter.body = delivery.answer.empty() ? delivery.failed.detail : delivery.answer;
  letter.attempts = tried ? delivery.home->offsets.attempts(delivery.offset) + 1 : 0;
  letter.last = loop_.Wall();
  letter.first = tried ? delivery.first_tried : letter.last;
  letter.subscription = config_.name;
  parts_.produce(ToDeadLetter(delivery.record, letter, config_.dead_letter, story),
                 [this, id = delivery.id, story](const kafka::Report& report, event::Record&) {
                   const auto found = deliveries_.find(id);
                   if (found == deliveries_.end())
                     return;  // revoked meanwhile: its letter may come twice
                   Partition& home = *found->second->home;
                   if (report) {
                     Settle(*found->second, ConsumerOutcome::kDeadLettered);
                   } else {
                     OnDeadLetterRefused(*found->second, story, report.error());
                   }
                   if (home.revoked()) GiveBackIfSettled(home);
                   Pump();
                   UpdatePauses();
                 });
}

void Subscription::OnDeadLetterRefused(Delivery& delivery, Story story,
                                       const kafka::Refusal& refusal) {
  const bool too_large = refusal.reason == kafka::Reason::kTooLarge;
  if (too_large && story != Story::kGeneration)
    return SendDeadLetter(delivery, static_cast<Story>(static_cast<int>(story) + 1));
  HoldStuck(delivery);
  const auto& record = delivery.record;
  std::string why = "the dead letter topic " + config_.dead_letter + " does not take event " +
                    delivery.event.id + " of " + record.topic + "/" +
                    std::to_string(record.partition) + " at " + std::to_string(record.offset) +
                    ", which holds its key: " + refusal.error.message;
  if (too_large) why += "; raise the topic's max.message.bytes to at least that of " + record.topic;
  ShowStuck(delivery, std::move(why));
  const auto wait = std::min(kLetterAgain * (1 << std::min(delivery.refused++, 5U)), kLongestAgain);
  delivery.again = loop_.After(wait, [this, id = delivery.id] {
    const auto again = deliveries_.find(id);
    if (again != deliveries_.end()) SendDeadLetter(*again->second, Story::kWhole);
  });
}

// It is not delivered any more: its record is all that is needed. The lanes' bound is for what the
// app gets; what is stuck has one of its own.
void Subscription::HoldStuck(Delivery& delivery) {
  if (delivery.stuck_bytes > 0) return;
  std::string id = std::move(delivery.event.id);
  delivery.event = event::Event();
  delivery.event.id = std::move(id);
  delivery.stuck_bytes = delivery.record.bytes();
  CountStuck(*delivery.home, delivery.home->stuck_bytes + delivery.stuck_bytes);
  lanes_.Recount(&delivery, 0);
}

void Subscription::Settle(Delivery& delivery, ConsumerOutcome outcome) {
  Partition& home = *delivery.home;
  (*home.topic)[outcome].Increment();
  if (outcome != ConsumerOutcome::kFiltered)
    series_.latency.Observe(std::chrono::duration<double>(loop_.Now() - delivery.fetched).count());
  if (delivery.lane) lanes_.Done(&delivery);
  circuit_.Forget(delivery.id);
  if (outcome == ConsumerOutcome::kFiltered)
    home.offsets.Skip(delivery.offset);
  else
    home.offsets.Settle(delivery.offset);
  if (delivery.stuck_bytes > 0) CountStuck(home, home.stuck_bytes - delivery.stuck_bytes);
  UseRoom(home);
  if (stuck_.erase(delivery.id) > 0) ShowState();
  deliveries_.erase(delivery.id);
  home.deliveries.erase(delivery.offset);  // and the delivery with it
  CommitLater();
}

void Subscription::Probe() {
  if (!config_.deliver.health) {
    reachable_.Ask(kProbeTimeout, [this](const std::string& why_not) {
      Apply(circuit_.OnProbe(why_not.empty() ? AppCircuit::Probe::kUp : AppCircuit::Probe::kRefused,
                             loop_.Now()));
      Pump();
      UpdatePauses();
    });
    return;
  }
  AskHealth([this](const http::Outcome& outcome) {
    const bool refused = !outcome && outcome.error().failure == http::Failure::kRefused;
    const bool up = outcome && outcome->status < 300;
    Apply(circuit_.OnProbe(up        ? AppCircuit::Probe::kUp
                           : refused ? AppCircuit::Probe::kRefused
                                     : AppCircuit::Probe::kUnhealthy,
                           loop_.Now()));
    Pump();
    UpdatePauses();
  });
}

void Subscription::AskHealth(http::OnAnswer on_answer) {
  http::Call call;
  call.method = "GET";
  call.path = config_.deliver.health->path;
  call.timeout = config_.deliver.health->timeout;
  health_client_.Send(std::move(call), std::move(on_answer));
}

void Subscription::WatchHealth() {
  if (!config_.deliver.health) return;
  health_ = loop_.After(config_.deliver.health->interval, [this] {
    WatchHealth();
    // While the circuit is open its own probes ask.
    if (circuit_.state() != AppCircuit::State::kClosed) return;
    AskHealth([this](const http::Outcome& outcome) {
      const bool well = outcome && outcome->status < 300;
      unhealthy_ = well ? 0 : unhealthy_ + 1;
      if (unhealthy_ < config_.deliver.health->failures) return;
      unhealthy_ = 0;
      Apply(circuit_.OnUnhealthy(loop_.Now()));
      Pump();
      UpdatePauses();
    });
  });
}

}  // namespace outrigger::deliver
