#include "kafka/client_recovery.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "kafka/error_table.h"
#include "telemetry/log.h"

namespace outrigger::kafka {
namespace {

using telemetry::Level;
using telemetry::Log;

// What is on the wire gets so long to be answered before it is sent again.
constexpr base::Duration kSettle = std::chrono::seconds(1);
// Between clients that fail one after the other, none of which got a record acknowledged.
constexpr base::Duration kFirstBackoff = std::chrono::seconds(1);
constexpr base::Duration kLongestBackoff = std::chrono::seconds(30);
// A new client that had no fatal error for so long works.
constexpr auto kWorks = std::chrono::seconds(5);

base::Duration Backoff(int failures) {
  return std::min<base::Duration>(kFirstBackoff * (1 << std::min(failures - 2, 10)),
                                  kLongestBackoff);
}

}  // namespace

ClientRecovery::ClientRecovery(base::Loop& loop, std::function<void()> rebuild)
    : loop_(loop), rebuild_(std::move(rebuild)) {}

bool ClientRecovery::OnFatal(const Handle::Fatal& why) {
  if (phase_ != Phase::kRunning) return false;
  phase_ = Phase::kRebuilding;
  why_ = why.text;
  if (++failures_ == 1) {
    RebuildAfter(kSettle);
    return true;
  }
  const base::Duration wait = Backoff(failures_);
  Refusal refusal = ClientRefusal(why.error, why.text);
  trouble_ = refusal.error.message + "; " + refusal.error.hint;
  if (refusal.reason == Reason::kUnauthorized) denied_ = std::move(refusal);
  Log(Level::kWarn, "the Kafka client has a fatal error again; the next one is built in a while",
      {{"error", trouble_},
       {"seconds",
        std::to_string(std::chrono::duration_cast<std::chrono::seconds>(wait).count())}});
  RebuildAfter(wait);
  return true;
}

void ClientRecovery::OnStall(std::string why) {
  assert(phase_ == Phase::kRunning);
  phase_ = Phase::kRebuilding;
  why_ = std::move(why);
  RebuildAfter(kSettle);
}

void ClientRecovery::OnConfigChange() {
  if (phase_ == Phase::kClosed) return;
  phase_ = Phase::kRebuilding;
  config_changed_ = true;
  why_ = "the config has changed";
  failures_ = 0;
  denied_.reset();
  trouble_.clear();
  RebuildAfter(kSettle);
}

void ClientRecovery::OnAllDecided() {
  if (phase_ == Phase::kRebuilding && failures_ <= 1) RebuildAfter({});
}

void ClientRecovery::OnBuildFailed(const std::string& error) {
  Log(Level::kError, "a new Kafka client can't be made; trying again in a second",
      {{"error", error}});
  RebuildAfter(std::chrono::seconds(1));
}

std::optional<Refusal> ClientRecovery::OnBuilt() {
  assert(phase_ == Phase::kRebuilding);
  phase_ = Phase::kRunning;
  built_at_ = loop_.Now();
  ++rebuilds_;
  config_changed_ = false;
  return std::exchange(denied_, std::nullopt);
}

bool ClientRecovery::OnAcked() {
  if (phase_ == Phase::kRebuilding) return false;
  failures_ = 0;
  if (trouble_.empty()) return false;
  trouble_.clear();
  return true;
}

void ClientRecovery::OnConnected() {
  if (trouble_.empty() || phase_ != Phase::kRunning) return;
  if (loop_.Now() - built_at_ > kWorks) trouble_.clear();
}

void ClientRecovery::Close() {
  phase_ = Phase::kClosed;
  timer_.Cancel();
}

void ClientRecovery::RebuildAfter(base::Duration wait) { timer_ = loop_.After(wait, rebuild_); }

}  // namespace outrigger::kafka
