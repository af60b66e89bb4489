#include "kafka/topic_watch.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace outrigger::kafka {
namespace {

base::Duration PauseFor(const std::vector<std::string>& topics) {
  // An expression is matched with all topics of the cluster.
  const bool all =
      std::ranges::any_of(topics, [](const std::string& topic) { return topic.starts_with('^'); });
  return std::chrono::seconds(all ? 5 : 1);
}

}  // namespace

TopicWatch::TopicWatch(ConsumerClient& client, ConsumerHealth& health,
                       std::vector<std::string> topics,
                       std::function<void(base::TimePoint)> on_come)
    : client_(client),
      health_(health),
      topics_(std::move(topics)),
      pause_(PauseFor(topics_)),
      on_come_(std::move(on_come)),
      missing_at_(client.Now()) {}

void TopicWatch::SetTopics(std::vector<std::string> topics) {
  topics_ = std::move(topics);
  pause_ = PauseFor(topics_);
  health_.EndAll(Trouble::kTopicMissing);  // perhaps of one that is not asked for any more
  health_.EndAll(Trouble::kTopicRefused);
  AskSoon();
}

bool TopicWatch::troubled() const {
  return health_.troubles().holds(Trouble::kTopicMissing) ||
         health_.troubles().holds(Trouble::kTopicRefused);
}

void TopicWatch::Beat(bool joined) {
  if ((joined && !troubled()) || !client_.Due(pace_)) return;
  client_.Ask(
      pace_, pause_,
      [topics = topics_](ConsumerHandle& handle) { return FindTopics(handle.rk(), topics); },
      [this, asked_at = client_.Now()](const std::optional<std::vector<TopicState>>& found) {
        if (found) OnTopics(*found, asked_at);
      });
}

void TopicWatch::OnTopics(const std::vector<TopicState>& topics, base::TimePoint asked_at) {
  health_.End(Trouble::kTopicMissing, {});  // what was said of no topic in particular
  health_.End(Trouble::kTopicRefused, {});
  bool come = false;
  bool any_missing = false;
  for (const auto& [topic, error, text] : topics) {
    const bool missing = error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    const bool refused = error == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
                         error == RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION;
    come = come || (!missing && health_.troubles().holds(Trouble::kTopicMissing, topic));
    any_missing = any_missing || missing;
    if (missing) health_.Begin(Trouble::kTopicMissing, topic, text);
    if (refused) health_.Begin(Trouble::kTopicRefused, topic, text);
    if (!missing) health_.End(Trouble::kTopicMissing, topic);
    if (!refused) health_.End(Trouble::kTopicRefused, topic);
  }
  if (come) on_come_(missing_at_);
  if (any_missing) missing_at_ = asked_at;
}

}  // namespace outrigger::kafka
