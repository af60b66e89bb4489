// Which subscribed topics are missing or refused, for as long as they are.
//
// librdkafka says that a topic is missing, but not that it has come, and nothing at all of an
// expression that no topic matches.
//
// Thread: the loop's; `on_come` comes on it. Lifetime: what it refers to outlives it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "kafka/cluster_questions.h"
#include "kafka/consumer_client.h"
#include "kafka/consumer_health.h"

namespace outrigger::kafka {

class TopicWatch {
 public:
  // `on_come`: a topic is there that was missing, last at `missing_at`.
  TopicWatch(ConsumerClient& client, ConsumerHealth& health, std::vector<std::string> topics,
             std::function<void(base::TimePoint missing_at)> on_come);

  void SetTopics(std::vector<std::string> topics);
  // Asks when the group has not taken us in, or a topic is in trouble.
  void Beat(bool joined);
  // The client has told of such a trouble: which topics, and until when, is for the next Beat.
  void AskSoon() { pace_.next = {}; }

 private:
  bool troubled() const;
  void OnTopics(const std::vector<TopicState>& topics, base::TimePoint asked_at);

  ConsumerClient& client_;
  ConsumerHealth& health_;
  std::vector<std::string> topics_;
  base::Duration pause_;
  const std::function<void(base::TimePoint)> on_come_;
  ConsumerClient::Pace pace_;
  base::TimePoint missing_at_;
};

}  // namespace outrigger::kafka
