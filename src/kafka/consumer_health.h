// What a consumer knows of its brokers, and of what keeps it from its records.
//
// Pure. Thread: the loop's; `on_change` comes inside the calls that change anything.
#pragma once

#include <functional>
#include <string>

#include "kafka/connection.h"
#include "kafka/troubles.h"

namespace outrigger::kafka {

class ConsumerHealth {
 public:
  ConsumerHealth(base::TimePoint now, std::function<void(const Connection&)> on_change);

  const Connection& connection() const { return connection_; }
  bool connected() const { return connection_.connected; }
  const Troubles& troubles() const { return troubles_; }
  // Something is known because of which the group would not take this member in.
  bool refused() const;

  // A broker has answered.
  void OnHeard(base::TimePoint now);
  // The client tells of a broker's error: the reason, should no broker answer. `general`: it names
  // no cause, so a cause known before is kept.
  void OnBrokerError(const std::string& error, bool general);
  void OnNoAnswer(const std::string& error, base::TimePoint now);

  void Begin(Trouble trouble, const std::string& where, const std::string& text);
  void End(Trouble trouble, const std::string& where);
  void EndAll(Trouble trouble);

 private:
  void Changed(bool changed);
  bool SetConnected(bool connected, base::TimePoint now);

  const std::function<void(const Connection&)> on_change_;
  Connection connection_;
  Troubles troubles_;
  std::string broker_error_;  // since a broker was last heard
};

}  // namespace outrigger::kafka
