#include "kafka/consumer_health.h"

#include <utility>

namespace outrigger::kafka {

ConsumerHealth::ConsumerHealth(base::TimePoint now,
                               std::function<void(const Connection&)> on_change)
    : on_change_(std::move(on_change)) {
  connection_.since = now;
}

bool ConsumerHealth::refused() const {
  return troubles_.holds(Trouble::kGroup) || troubles_.holds(Trouble::kTopicMissing) ||
         troubles_.holds(Trouble::kTopicRefused);
}

void ConsumerHealth::OnHeard(base::TimePoint now) {
  broker_error_.clear();
  Changed(SetConnected(true, now));
}

void ConsumerHealth::OnBrokerError(const std::string& error, bool general) {
  if (!general || broker_error_.empty()) broker_error_ = error;
}

void ConsumerHealth::OnNoAnswer(const std::string& error, base::TimePoint now) {
  const bool lost = SetConnected(false, now);
  const std::string& reason = broker_error_.empty() ? error : broker_error_;
  Changed(std::exchange(connection_.last_error, reason) != reason || lost);
}

bool ConsumerHealth::SetConnected(bool connected, base::TimePoint now) {
  if (connection_.connected == connected) return false;
  connection_.connected = connected;
  connection_.since = now;
  if (connected) connection_.last_error.clear();
  return true;
}

void ConsumerHealth::Begin(Trouble trouble, const std::string& where, const std::string& text) {
  Changed(troubles_.Begin(trouble, where, text));
}

void ConsumerHealth::End(Trouble trouble, const std::string& where) {
  Changed(troubles_.End(trouble, where));
}

void ConsumerHealth::EndAll(Trouble trouble) { Changed(troubles_.EndAll(trouble)); }

void ConsumerHealth::Changed(bool changed) {
  if (changed && on_change_) on_change_(connection_);
}

}  // namespace outrigger::kafka
