#include "kafka/consumer_recovery.h"

#include <algorithm>
#include <utility>

#include "kafka/fencing.h"
#include "telemetry/log.h"

namespace outrigger::kafka {
namespace {

using telemetry::Level;
using telemetry::Log;

constexpr base::Duration kFirstPause = std::chrono::seconds(1);
constexpr base::Duration kLastPause = std::chrono::seconds(30);
constexpr base::Duration kLongestFenced = std::chrono::seconds(60);
constexpr std::chrono::milliseconds kLongestLeave{3000};
constexpr std::chrono::minutes kSteady{5};  // nobody has fenced us for so long: forget how often

bool Fenced(rd_kafka_t* rk) {
  char reason[512];
  return rd_kafka_fatal_error(rk, reason, sizeof reason) == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID;
}

}  // namespace

ConsumerRecovery::ConsumerRecovery(ConsumerClient& client, ConsumerHealth& health,
                                   std::string group, std::function<base::Result<void>()> open)
    : client_(client), health_(health), group_(std::move(group)), open_(std::move(open)) {}

bool ConsumerRecovery::OnFatal(const std::string& why) {
  if (!running()) return false;
  phase_ = Phase::kReplacing;
  if (!Fenced(client_.rk())) {
    Log(Level::kError, "the Kafka consumer had a fatal error and is replaced",
        {{"group", group_}, {"error", why}});
    health_.Begin(Trouble::kClient, {}, why);
    RebuildLater(why);
    return true;
  }
  if (client_.Now() - assigned_since_ > kSteady) fenced_pause_ = {};
  const std::string text = "another member of group " + group_ +
                           " has the same group.instance.id, \"" + client_.handle()->instance_id() +
                           "\"; this one waits until it is gone. Give each pod an id of " +
                           "its own, with {hostname} in it";
  Log(Level::kError, text, {{"group", group_}, {"error", why}});
  health_.Begin(Trouble::kFenced, {}, text);
  WaitFenced(why);
  return true;
}

void ConsumerRecovery::Replace(const std::string& why) {
  phase_ = Phase::kReplacing;
  leave_ = true;
  RebuildLater(why);
}

void ConsumerRecovery::OnConfigChange() {
  pause_ = {};
  if (phase_ == Phase::kReplacing) RebuildLater("the config has changed");
}

void ConsumerRecovery::OnAssigned() {
  pause_ = {};
  assigned_since_ = client_.Now();
}

void ConsumerRecovery::Close() {
  if (!running()) phase_ = Phase::kClosed;
  again_.Cancel();
}

void ConsumerRecovery::RebuildLater(const std::string& why) {
  pause_ = std::clamp(pause_ * 2, kFirstPause, kLastPause);
  again_ = client_.loop().After(pause_, [this, why] { Rebuild(why); });
}

void ConsumerRecovery::WaitFenced(const std::string& why) {
  fenced_pause_ = std::clamp(fenced_pause_ * 2, kFirstPause, kLongestFenced);
  // Between half of it and all: two that fence each other don't come back together.
  const auto wait = fenced_pause_ / 2 * (1 + std::uniform_real_distribution<double>()(random_));
  again_ = client_.loop().After(std::chrono::duration_cast<base::Duration>(wait), [this, why] {
    client_.Ask(
        [group = group_](ConsumerHandle& handle) {
          return HasInstance(handle.rk(), group, handle.instance_id());
        },
        [this, why](bool taken) {
          if (phase_ != Phase::kReplacing) return;
          if (taken) return WaitFenced(why);
          Rebuild(why);
        });
  });
}

void ConsumerRecovery::Rebuild(const std::string& why) {
  auto old = client_.handle();
  if (auto open = open_(); !open) {
    Log(Level::kError, "the Kafka consumer can't be replaced; trying again",
        {{"group", group_}, {"error", open.error().message}});
    return RebuildLater(why);
  }
  Retire(std::move(old));
  phase_ = Phase::kRunning;
  ++rebuilds_;
}

// Questions to the new client don't wait for the old one's end, which can block.
void ConsumerRecovery::Retire(std::shared_ptr<ConsumerHandle> old) {
  if (!retired_) retired_.emplace();
  retired_->Run([old = std::move(old), leave = std::exchange(leave_, false)] {
    if (leave) old->Leave(kLongestLeave);
  });
}

}  // namespace outrigger::kafka
