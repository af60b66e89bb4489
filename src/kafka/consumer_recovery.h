// When a consumer's client that has failed, or gets nothing, is replaced.
//
// After a fatal error the next client comes after a pause that doubles. One that was fenced by
// another member with its group.instance.id waits until that one is gone (fencing.h).
//
// Thread: the loop's; `open` is called on it. Lifetime: what it refers to outlives it; destroying
// it waits for the end of the clients that were replaced.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>

#include "kafka/consumer_client.h"
#include "kafka/consumer_health.h"

namespace outrigger::kafka {

class ConsumerRecovery {
 public:
  // `open` makes the next client and uses it.
  ConsumerRecovery(ConsumerClient& client, ConsumerHealth& health, std::string group,
                   std::function<base::Result<void>()> open);

  // Returns false when the client is being replaced already.
  bool OnFatal(const std::string& why);
  // The client works, and gets nothing: its place in the group is left for the next one's.
  void Replace(const std::string& why);
  // The config has other brokers or credentials: a replacement waits no longer.
  void OnConfigChange();
  // The client holds partitions.
  void OnAssigned();
  // No client is made any more.
  void Close();

  bool running() const { return phase_ == Phase::kRunning; }
  uint64_t rebuilds() const { return rebuilds_; }

 private:
  enum class Phase { kRunning, kReplacing, kClosed };

  void RebuildLater(const std::string& why);
  void WaitFenced(const std::string& why);
  void Rebuild(const std::string& why);
  void Retire(std::shared_ptr<ConsumerHandle> old);

  ConsumerClient& client_;
  ConsumerHealth& health_;
  const std::string group_;
  const std::function<base::Result<void>()> open_;
  Phase phase_ = Phase::kRunning;
  bool leave_ = false;  // the client's place in the group is to be left
  uint64_t rebuilds_ = 0;
  base::Duration pause_{};
  base::Duration fenced_pause_{};
  base::TimePoint assigned_since_;
  std::minstd_rand random_{std::random_device{}()};
  base::Timer again_;
  std::optional<base::SideThread> retired_;  // made with the first
};

}  // namespace outrigger::kafka
