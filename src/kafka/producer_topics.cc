// What is known of the cluster: topics, their partitions and limits, and whether anybody is there.
#include <algorithm>
#include <cstdlib>

#include "kafka/error_table.h"
#include "kafka/producer_core.h"

namespace outrigger::kafka {
namespace {

constexpr auto kBeat = std::chrono::seconds(1);
constexpr auto kIdlePing = std::chrono::seconds(10);
constexpr auto kRefresh = std::chrono::seconds(30);
constexpr auto kAskAgain = std::chrono::milliseconds(100);
// A new client that had no fatal error for so long works.
constexpr auto kWorks = std::chrono::seconds(5);
// How long a topic is remembered that nothing is published to, and how many of those that Kafka
// does not have.
constexpr auto kForgotten = std::chrono::minutes(10);
constexpr auto kUnknownForgotten = std::chrono::minutes(1);
constexpr size_t kMostUnknown = 500;

}  // namespace

void Producer::Core::Ask(Topic& topic) {
  // While nobody answers, one question at a time is enough; all topics are asked for when somebody
  // does.
  if (topic.asking || topic.again.armed() || (!connection_.connected && pinging_)) return;
  topic.asking = true;
  topic.used = false;
  lookup_->Ask(handle_, topic.name);
}

void Producer::Core::OnAnswer(const Lookup::Answer& answer) {
  const bool reached = answer.error == RD_KAFKA_RESP_ERR_NO_ERROR;
  if (reached) heard_ = loop_.Now();
  if (answer.topic.empty()) pinging_ = false;
  if (!reached && connection_.last_error.empty())
    connection_.last_error = std::string("no answer: ") + rd_kafka_err2str(answer.error);
  SetConnected(reached);
  if (answer.topic.empty()) return;

  const auto found = topics_.find(answer.topic);
  if (found == topics_.end()) return;
  Topic& topic = *found->second;
  topic.asking = false;
  topic.looked_up = loop_.Now();
  if (!reached) return;  // asked again when connected
  if (answer.partitions > 0) return OnPartitions(topic, answer);
  switch (MeaningOf(answer.topic_error).blame) {
    case Blame::kTopic: {
      const Refusal refusal = ToRefusal(answer.topic_error, topic.name);
      topic.refusal = refusal.error.message + "; " + refusal.error.hint;
      ShowRefusals();
      return RefuseUnplaced(topic, refusal);
    }
    case Blame::kRouting:
      return OnUnknown(topic, answer.topic_error);
    default:
      AskAgainIn(topic, kAskAgain);
  }
}

void Producer::Core::AskAgainIn(Topic& topic, base::Duration delay) {
  if (topic.asking || topic.again.armed()) return;
  topic.again = loop_.After(delay, [this, &topic] { Ask(topic); });
}

void Producer::Core::OnPartitions(Topic& topic, const Lookup::Answer& answer) {
  const auto count = static_cast<size_t>(answer.partitions);
  topic.unknown = false;
  topic.led = answer.led;
  // Partitions only become more: it was created again.
  if (count < topic.partitions.size()) return Unplace(topic);
  if (!topic.placed && !topic.partitions.empty()) return;  // asked again when it is gathered
  if (!std::exchange(topic.placed, true)) {
    --not_placed_;
    topic.sticky = static_cast<size_t>(std::rand());
  }
  while (topic.partitions.size() < count) {
    auto queue = std::make_unique<PartitionQueue>();
    queue->partition = static_cast<int32_t>(topic.partitions.size());
    topic.partitions.push_back(std::move(queue));
  }
  AskConfig(topic);
  std::deque<Entry*> unplaced;
  unplaced.swap(topic.unplaced);
  for (Entry* entry : unplaced) Place(topic, entry, true);
}

void Producer::Core::OnUnknown(Topic& topic, rd_kafka_resp_err_t error) {
  if (!std::exchange(topic.unknown, true)) topic.unknown_since = loop_.Now();
  if (topic.unplaced.empty()) return;
  if (loop_.Now() - topic.unknown_since >= options_.unknown_topic_after)
    return RefuseUnplaced(topic, ToRefusal(error, topic.name));
  // A broker that makes topics by itself needs a moment for it.
  AskAgainIn(topic, kAskAgain);
}

void Producer::Core::RefuseUnplaced(Topic& topic, const Refusal& refusal) {
  std::deque<Entry*> unplaced;
  unplaced.swap(topic.unplaced);
  for (Entry* entry : unplaced) Refuse(entry, refusal);
}

// The topic's partitions are not what we thought: it was deleted, or created again.
void Producer::Core::Unplace(Topic& topic) {
  if (std::exchange(topic.placed, false)) ++not_placed_;
  GatherLater(topic);
}

// Later, as the caller is at work on the queues that end.
void Producer::Core::GatherLater(Topic& topic) {
  loop_.Post([this, alive = alive_, name = topic.name] {
    if (!*alive) return;
    if (const auto found = topics_.find(name); found != topics_.end()) Gather(*found->second);
  });
}

// The end of the old partitions, when the last of their batches is decided: what was taken back is
// older than what has come meanwhile, and a key may now belong to another partition.
void Producer::Core::Gather(Topic& topic) {
  if (topic.placed || topic.partitions.empty()) return;
  const auto busy = [](const auto& queue) { return !queue->idle(); };
  if (std::any_of(topic.partitions.begin(), topic.partitions.end(), busy)) return;
  for (const auto& queue : topic.partitions) {
    topic.unplaced.insert(topic.unplaced.end(), queue->waiting.begin(), queue->waiting.end());
    std::erase(dirty_, queue.get());
  }
  topic.partitions.clear();
  std::sort(topic.unplaced.begin(), topic.unplaced.end(),
            [](const Entry* a, const Entry* b) { return a->order < b->order; });
  AskAgainIn(topic, kAskAgain);
}

void Producer::Core::AskConfig(Topic& topic) {
  topic.config_asked = loop_.Now();
  rd_kafka_ConfigResource_t* resource =
      rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.name.c_str());
  const Owned<rd_kafka_ConfigResource_t> owned(resource);
  const Owned<rd_kafka_AdminOptions_t> options(
      rd_kafka_AdminOptions_new(handle_->rk(), RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS));
  rd_kafka_DescribeConfigs(handle_->rk(), &resource, 1, options.get(), handle_->queue());
}

void Producer::Core::OnConfig(rd_kafka_event_t& event) {
  const rd_kafka_DescribeConfigs_result_t* result = rd_kafka_event_DescribeConfigs_result(&event);
  size_t resource_count = 0;
  const rd_kafka_ConfigResource_t** resources =
      result ? rd_kafka_DescribeConfigs_result_resources(result, &resource_count) : nullptr;
  // An error that names no topic: a broker that can't be asked, like the embedded one.
  if (resource_count == 0)
    for (const auto& [name, topic] : topics_) topic->config_known = true;
  for (size_t i = 0; i < resource_count; ++i) {
    const auto topic = topics_.find(rd_kafka_ConfigResource_name(resources[i]));
    if (topic == topics_.end()) continue;
    topic->second->config_known = true;
    // A broker that does not tell (no permission, an old or embedded one) leaves what was assumed
    // or learned of the limit.
    topic->second->compacted = false;
    if (rd_kafka_ConfigResource_error(resources[i]) != RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    size_t config_count = 0;
    const rd_kafka_ConfigEntry_t** configs =
        rd_kafka_ConfigResource_configs(resources[i], &config_count);
    for (size_t c = 0; c < config_count; ++c) {
      const char* value = rd_kafka_ConfigEntry_value(configs[c]);
      if (!value) continue;
      const std::string_view name = rd_kafka_ConfigEntry_name(configs[c]);
      if (name == "max.message.bytes") {
        topic->second->limit = std::strtoull(value, nullptr, 10);
        topic->second->limit_known = true;
      } else if (name == "cleanup.policy") {
        topic->second->compacted =
            std::string_view(value).find("compact") != std::string_view::npos;
      }
    }
  }
}

void Producer::Core::Beat() {
  beat_ = loop_.After(kBeat, [this] { Beat(); });
  const base::TimePoint now = loop_.Now();
  const auto silence = now - heard_;
  // Asked when there was no sign of life: soon while something waits or nobody answers, rarely when
  // idle.
  const bool ask =
      !connection_.connected || silence > kIdlePing || (records_ > 0 && silence > kBeat);
  if (ask && !pinging_) {
    pinging_ = true;
    lookup_->Ask(handle_, {});
  }
  ForgetIdle();
  if (!fatal_ && !fatal_text_.empty() && connection_.connected && now - rebuilt_at_ > kWorks) {
    fatal_text_.clear();
    ShowRefusals();
  }
  if (!connection_.connected) return;
  for (const auto& [name, topic] : topics_)
    if (topic->used && now - topic->looked_up > kRefresh) Ask(*topic);
  LookForStalls();
}

void Producer::Core::ForgetIdle() {
  const base::TimePoint now = loop_.Now();
  size_t unknown = 0;
  for (auto at = topics_.begin(); at != topics_.end();) {
    Topic& topic = *at->second;
    if (topic.used || topic.records > 0 || topic.asking || topic.again.armed()) {
      topic.idle_since = now;
      ++at;
      continue;
    }
    const bool known = !topic.partitions.empty();
    const auto idle = now - topic.idle_since;
    if (idle > kUnknownForgotten && !std::exchange(topic.refusal, {}).empty()) ShowRefusals();
    if (known ? idle <= kForgotten : idle <= kUnknownForgotten && ++unknown <= kMostUnknown) {
      ++at;
      continue;
    }
    for (const auto& queue : topic.partitions) std::erase(dirty_, queue.get());
    handle_->Forget(topic.name);
    if (!topic.placed) --not_placed_;
    at = topics_.erase(at);
  }
}

// What a person has to do before records pass.
void Producer::Core::ShowRefusals() {
  std::string refusal = fatal_text_;
  for (auto topic = topics_.begin(); refusal.empty() && topic != topics_.end(); ++topic)
    refusal = topic->second->refusal;
  if (refusal == connection_.refusal) return;
  connection_.refusal = std::move(refusal);
  connection_.refused = !fatal_text_.empty();
  if (on_change_) on_change_(connection_);
}

void Producer::Core::SetConnected(bool connected) {
  if (connection_.connected == connected) return;
  connection_.connected = connected;
  connection_.since = loop_.Now();
  if (connected) {
    connection_.last_error.clear();
    for (const auto& [name, topic] : topics_)
      if (!topic->unplaced.empty()) Ask(*topic);
  }
  if (on_change_) on_change_(connection_);
}

}  // namespace outrigger::kafka
