#include "deliver/app_health.h"

#include <utility>

namespace outrigger::deliver {
namespace {

constexpr auto kProbeTimeout = std::chrono::milliseconds(800);

bool IsUp(const http::Outcome& outcome) { return outcome && outcome->status < 300; }

AppCircuit::Probe ProbeOf(const http::Outcome& outcome) {
  if (IsUp(outcome)) return AppCircuit::Probe::kUp;
  const bool refused = !outcome && outcome.error().failure == http::Failure::kRefused;
  return refused ? AppCircuit::Probe::kRefused : AppCircuit::Probe::kUnhealthy;
}

}  // namespace

AppHealth::AppHealth(base::Loop& loop, const http::Endpoint& app,
                     std::optional<config::AppHealth> check)
    : loop_(loop), check_(std::move(check)), reachable_(loop, app) {
  http::ClientLimits limits;
  limits.max_connections = 1;
  if (check_) client_.emplace(loop, app, limits);
}

void AppHealth::Probe(std::function<void(AppCircuit::Probe)> on_result) {
  if (check_)
    return Ask([on_result = std::move(on_result)](const http::Outcome& outcome) {
      on_result(ProbeOf(outcome));
    });
  reachable_.Ask(kProbeTimeout, [on_result = std::move(on_result)](const std::string& why_not) {
    on_result(why_not.empty() ? AppCircuit::Probe::kUp : AppCircuit::Probe::kRefused);
  });
}

void AppHealth::Watch(std::function<bool()> wanted, std::function<void()> on_unhealthy) {
  if (!check_) return;
  wanted_ = std::move(wanted);
  on_unhealthy_ = std::move(on_unhealthy);
  AskLater();
}

void AppHealth::AskLater() {
  again_ = loop_.After(check_->interval, [this] {
    AskLater();
    if (!wanted_()) return;
    Ask([this](const http::Outcome& outcome) {
      failures_ = IsUp(outcome) ? 0 : failures_ + 1;
      if (failures_ < check_->failures) return;
      failures_ = 0;
      on_unhealthy_();
    });
  });
}

void AppHealth::Ask(http::OnAnswer on_answer) {
  http::Call call;
  call.method = "GET";
  call.path = check_->path;
  call.timeout = check_->timeout;
  client_->Send(std::move(call), std::move(on_answer));
}

}  // namespace outrigger::deliver
