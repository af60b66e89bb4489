#include "kafka/group_leave.h"

#include <utility>

#include "telemetry/log.h"

namespace outrigger::kafka {
namespace {

using telemetry::Level;
using telemetry::Log;

// Leaving waits for the end of a rejoin, so for the other members' heartbeats.
constexpr std::chrono::seconds kLongestLeave{8};
constexpr std::chrono::milliseconds kLookAgain{20};

}  // namespace

GroupLeave::GroupLeave(ConsumerClient& client, std::string group, Events events)
    : client_(client), group_(std::move(group)), events_(std::move(events)) {}

void GroupLeave::Begin(std::function<void()> on_closed) {
  phase_ = Phase::kSettling;
  on_closed_ = std::move(on_closed);
}

void GroupLeave::Leave(bool connected) {
  if (leaving()) return;
  phase_ = Phase::kLeaving;
  if (client_failed_ || !connected || !client_.handle()->instance_id().empty() ||
      !client_.handle()->group().ever_joined())
    return EndClient();
  leave_at_last_ = client_.loop().After(kLongestLeave, [this] { EndClient(); });
  client_.Ask([](ConsumerHandle& handle) { rd_kafka_unsubscribe(handle.rk()); },
              [this] {
                AnswerOwed();
                OnPolled();
              });
}

void GroupLeave::AnswerOwed() {
  if (const auto owed = std::exchange(owed_, std::nullopt)) events_.release(*owed);
}

void GroupLeave::EndClient() {
  if (phase_ >= Phase::kEndingClient) return;
  phase_ = Phase::kEndingClient;
  rd_kafka_error_t* error = rd_kafka_consumer_close_queue(client_.rk(), client_.handle()->queue());
  if (error != nullptr) {
    Log(Level::kWarn, "the consumer could not leave its group",
        {{"group", group_}, {"error", rd_kafka_error_string(error)}});
    rd_kafka_error_destroy(error);
    client_failed_ = true;
  } else {
    AnswerOwed();
  }
  client_.Post([this] { OnPolled(); });
}

void GroupLeave::OnPolled() {
  if (!leaving() || phase_ == Phase::kClosed) return;
  const bool left = client_failed_ || client_.handle()->group().left();
  if (phase_ == Phase::kLeaving && left) return EndClient();
  const bool ended = client_failed_ || rd_kafka_consumer_closed(client_.rk()) != 0;
  if (phase_ != Phase::kEndingClient || !ended) {
    // librdkafka tells of neither.
    look_again_ = client_.loop().After(kLookAgain, [this] { events_.poll(); });
    return;
  }
  phase_ = Phase::kClosed;
  std::exchange(on_closed_, nullptr)();
}

}  // namespace outrigger::kafka
