// Whether the brokers answer a producer: its Connection, when it last heard from them, and whether
// a ping is under way.
//
// Thread: the loop's; `on_change` comes inside the calls that change the connection.
#pragma once

#include <functional>
#include <string>

#include "kafka/connection.h"

namespace outrigger::kafka {

class BrokerHealth {
 public:
  explicit BrokerHealth(base::TimePoint now);

  const Connection& connection() const { return connection_; }
  bool connected() const { return connection_.connected; }
  void OnChange(std::function<void(const Connection&)> on_change);

  // A broker answered. Returns whether none did before.
  bool OnHeard(base::TimePoint now);
  void OnNoAnswer(const std::string& error, base::TimePoint now);
  void OnError(const std::string& error) { connection_.last_error = error; }

  // A ping asks only whether a broker answers; one at a time is under way.
  bool PingDue(base::TimePoint now, bool records_wait) const;
  bool StartPing();
  void OnPingAnswered() { pinging_ = false; }
  // False while no broker answers and a ping is under way: one question at a time is enough.
  bool WorthAsking() const { return connected() || !pinging_; }

  // What a person has to do before records pass; empty while they do. `all`: none passes.
  void ShowRefusal(std::string refusal, bool all);

 private:
  bool SetConnected(bool connected, base::TimePoint now);

  Connection connection_;
  std::function<void(const Connection&)> on_change_;
  base::TimePoint heard_;
  bool pinging_ = false;
};

}  // namespace outrigger::kafka
