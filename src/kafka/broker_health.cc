#include "kafka/broker_health.h"

#include <utility>

namespace outrigger::kafka {
namespace {

constexpr auto kBusyPing = std::chrono::seconds(1);
constexpr auto kIdlePing = std::chrono::seconds(10);

}  // namespace

BrokerHealth::BrokerHealth(base::TimePoint now) : heard_(now) { connection_.since = now; }

void BrokerHealth::OnChange(std::function<void(const Connection&)> on_change) {
  on_change_ = std::move(on_change);
}

bool BrokerHealth::OnHeard(base::TimePoint now) {
  heard_ = now;
  return SetConnected(true, now);
}

void BrokerHealth::OnNoAnswer(const std::string& error, base::TimePoint now) {
  if (connection_.last_error.empty()) connection_.last_error = "no answer: " + error;
  SetConnected(false, now);
}

bool BrokerHealth::PingDue(base::TimePoint now, bool records_wait) const {
  const auto silence = now - heard_;
  return !connected() || silence > kIdlePing || (records_wait && silence > kBusyPing);
}

bool BrokerHealth::StartPing() { return !std::exchange(pinging_, true); }

void BrokerHealth::ShowRefusal(std::string refusal, bool all) {
  if (refusal == connection_.refusal) return;
  connection_.refusal = std::move(refusal);
  connection_.refused = all;
  if (on_change_) on_change_(connection_);
}

bool BrokerHealth::SetConnected(bool connected, base::TimePoint now) {
  if (connection_.connected == connected) return false;
  connection_.connected = connected;
  connection_.since = now;
  if (connected) connection_.last_error.clear();
  if (on_change_) on_change_(connection_);
  return true;
}

}  // namespace outrigger::kafka
