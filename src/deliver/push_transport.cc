#include "deliver/push_transport.h"

#include <utility>

#include "base/json_text.h"

namespace outrigger::deliver {
namespace {

using Action = Verdict::Action;
using Kind = AppCircuit::Kind;

constexpr size_t kAnswerKept = 1024;  // of what a dead-letter record tells

// No more than are needed: the app has not asked for many.
http::ClientLimits Connections(size_t count) {
  http::ClientLimits limits;
  limits.max_connections = count;
  return limits;
}

Mode ModeOf(config::DeliverMode mode) {
  switch (mode) {
    case config::DeliverMode::kStructured:
      return Mode::kStructured;
    case config::DeliverMode::kRaw:
      return Mode::kRaw;
    default:
      return Mode::kBinary;
  }
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

AttemptResult ReadResult(event::JsonReader& json, const http::Outcome& outcome,
                         base::WallTime now) {
  AttemptResult result;
  result.verdict = outcome ? ReadVerdict(json, *outcome, now) : VerdictOn(outcome.error());
  result.kind = KindOf(result.verdict, outcome);
  // Retry-After speaks of the app, a verdict's `delay` of the event.
  if (outcome && outcome->status >= 300) result.asked = result.verdict.wait;
  if (outcome) result.answer = base::Excerpt(outcome->body, kAnswerKept);
  return result;
}

PushTransport::PushTransport(base::Loop& loop, const config::Subscription& config,
                             http::Endpoint app, HandlerPath path, event::JsonReader& json,
                             OnResult on_result)
    : loop_(loop),
      config_(config),
      path_(std::move(path)),
      json_(json),
      on_result_(std::move(on_result)),
      client_(loop, std::move(app), Connections(config.deliver.concurrency)) {}

base::Result<void> PushTransport::Send(Delivery& delivery, uint32_t number) {
  auto call = MakeCall(path_, ModeOf(config_.deliver.mode),
                       {.record = delivery.record(),
                        .event = *delivery.event,
                        .subscription = config_.name,
                        .number = number,
                        .kafka_headers = &config_.deliver.headers});
  if (!call) return base::Fail(call.error());
  call->timeout = config_.deliver.timeout;
  delivery.call =
      client_.Send(std::move(*call), [this, id = delivery.id](const http::Outcome& outcome) {
        on_result_(id, ReadResult(json_, outcome, loop_.Wall()));
      });
  return {};
}

}  // namespace outrigger::deliver
