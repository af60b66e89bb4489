// When a client that has failed or hangs is replaced, and what is refused and shown meanwhile.
//
// After a fatal error the next client is built at once when the last one worked, else after a pause
// that doubles. While Kafka denies the client the right to produce at all, all records are refused.
//
// Thread: the loop's. Lifetime: `rebuild` is not called after Close or destruction.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/loop.h"
#include "kafka/handle.h"
#include "kafka/producer.h"

namespace outrigger::kafka {

class ClientRecovery {
 public:
  enum class Phase { kRunning, kRebuilding, kClosed };

  // `rebuild` ends in OnBuilt or OnBuildFailed.
  ClientRecovery(base::Loop& loop, std::function<void()> rebuild);

  // Returns false when the client is being replaced already.
  bool OnFatal(const Handle::Fatal& why);
  void OnStall(std::string why);
  // The config has other brokers, credentials or properties. What failed before says nothing of the
  // next client.
  void OnConfigChange();
  // No batch is undecided, so there is nothing to wait for; after failures in a row the pause is
  // kept.
  void OnAllDecided();
  void OnBuildFailed(const std::string& error);
  // Returns what all records got until now, if they were refused.
  std::optional<Refusal> OnBuilt();

  // A record was acknowledged. Returns whether trouble() changed.
  bool OnAcked();
  // Ends the trouble of a client that has worked for a while.
  void OnConnected();
  void Close();

  Phase phase() const { return phase_; }
  bool rebuilding() const { return phase_ == Phase::kRebuilding; }
  bool config_changed() const { return config_changed_; }  // until OnBuilt
  const std::optional<Refusal>& denied() const { return denied_; }
  const std::string& trouble() const { return trouble_; }  // for people; empty: none
  const std::string& why() const { return why_; }          // of the last replacement
  uint64_t rebuilds() const { return rebuilds_; }

 private:
  void RebuildAfter(base::Duration wait);

  base::Loop& loop_;
  std::function<void()> rebuild_;
  Phase phase_ = Phase::kRunning;
  int failures_ = 0;  // fatal errors since the last acknowledgement
  std::optional<Refusal> denied_;
  std::string trouble_;
  std::string why_;
  base::TimePoint built_at_;
  uint64_t rebuilds_ = 0;
  bool config_changed_ = false;
  base::Timer timer_;
};

}  // namespace outrigger::kafka
