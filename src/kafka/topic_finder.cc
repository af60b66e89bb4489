#include "kafka/topic_finder.h"

#include <algorithm>
#include <utility>

#include "kafka/error_table.h"
#include "kafka/topic_config.h"

namespace outrigger::kafka {
namespace {

constexpr base::Duration kAskAgain = std::chrono::milliseconds(100);
// Where a partition is named that is not there, the topic is looked up at most that often.
constexpr base::Duration kLookupPause = std::chrono::seconds(1);

}  // namespace

TopicFinder::TopicFinder(base::Loop& loop, TopicTable& topics, BrokerHealth& brokers,
                         base::Duration unknown_after, Events events)
    : loop_(loop),
      topics_(topics),
      brokers_(brokers),
      unknown_after_(unknown_after),
      events_(std::move(events)),
      lookup_(loop, [this](const Lookup::Answer& answer) { OnAnswer(answer); }) {}

void TopicFinder::Use(std::shared_ptr<Handle> handle) {
  if (handle_) lookup_.Retire(std::move(handle_));
  handle_ = std::move(handle);
}

void TopicFinder::Ask(Topic& topic) {
  if (brokers_.WorthAsking() && topic.StartLookup()) lookup_.Ask(handle_, topic.name());
}

void TopicFinder::AskAgainIn(Topic& topic, base::Duration delay) {
  if (topic.looking_up()) return;
  topic.LookUpAgain(loop_.After(delay, [this, &topic] { Ask(topic); }));
}

void TopicFinder::AskAgainSoon(Topic& topic) { AskAgainIn(topic, kAskAgain); }

void TopicFinder::AskForMorePartitions(Topic& topic) {
  AskAgainIn(topic, std::max<base::Duration>(topic.looked_up() + kLookupPause - loop_.Now(),
                                             base::Duration(0)));
}

void TopicFinder::AskConfig(Topic& topic) {
  topic.limits().OnAsked(loop_.Now());
  AskTopicConfig(*handle_, topic.name());
}

void TopicFinder::Refresh() {
  const base::TimePoint now = loop_.Now();
  for (const auto& [name, topic] : topics_.topics())
    if (topic->RefreshDue(now)) Ask(*topic);
}

void TopicFinder::Ping() {
  if (brokers_.StartPing()) lookup_.Ask(handle_, {});
}

void TopicFinder::OnHeard(base::TimePoint now) {
  if (!brokers_.OnHeard(now)) return;
  for (const auto& [name, topic] : topics_.topics())
    if (topic->has_waiting()) Ask(*topic);
}

void TopicFinder::OnConfig(rd_kafka_event_t& event) {
  const std::vector<TopicConfig> configs = TopicConfigsOf(event);
  if (configs.empty())
    for (const auto& [name, topic] : topics_.topics()) topic->limits().OnNoConfig();
  for (const TopicConfig& config : configs)
    if (Topic* topic = topics_.Find(config.topic)) topic->limits().OnConfig(config);
}

void TopicFinder::OnAnswer(const Lookup::Answer& answer) {
  const base::TimePoint now = loop_.Now();
  const bool reached = answer.error == RD_KAFKA_RESP_ERR_NO_ERROR;
  if (answer.topic.empty()) brokers_.OnPingAnswered();
  if (reached)
    OnHeard(now);
  else
    brokers_.OnNoAnswer(rd_kafka_err2str(answer.error), now);
  Topic* topic = answer.topic.empty() ? nullptr : topics_.Find(answer.topic);
  if (!topic) return;
  topic->OnLookedUp(now);
  if (!reached) return;  // asked again when connected
  if (answer.partitions > 0) return OnPartitions(*topic, answer);
  switch (MeaningOf(answer.topic_error).blame) {
    case Blame::kTopic: {
      const Refusal refusal = ToRefusal(answer.topic_error, topic->name());
      topic->ShowRefusal(refusal);
      return events_.on_refused(*topic, refusal);
    }
    case Blame::kRouting:
      return OnUnknown(*topic, answer.topic_error);
    default:
      AskAgainSoon(*topic);
  }
}

void TopicFinder::OnPartitions(Topic& topic, const Lookup::Answer& answer) {
  const auto count = static_cast<size_t>(answer.partitions);
  topic.OnFound(answer.led);
  // Partitions only become more.
  if (count < topic.queues().size()) return events_.on_replaced(topic);
  if (topic.phase() == Topic::Phase::kDraining) return;  // asked again when it is gathered
  topics_.Place(topic, count);
  AskConfig(topic);
  events_.on_placed(topic);
}

void TopicFinder::OnUnknown(Topic& topic, rd_kafka_resp_err_t error) {
  const base::Duration missing = topic.OnMissing(loop_.Now());
  if (!topic.has_waiting()) return;
  if (missing >= unknown_after_) return events_.on_refused(topic, ToRefusal(error, topic.name()));
  // A broker that makes topics by itself needs a moment for it.
  AskAgainSoon(topic);
}

}  // namespace outrigger::kafka
