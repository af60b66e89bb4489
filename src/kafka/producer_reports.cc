// What librdkafka tells: delivery reports, errors, fatal ones among them.
#include <algorithm>

#include "kafka/error_table.h"
#include "kafka/producer_core.h"

namespace outrigger::kafka {

using telemetry::Level;
using telemetry::Log;

void Producer::Core::OnEvents() {
  const auto handle = handle_;  // a callback may close the producer
  while (Owned<rd_kafka_event_t> event{rd_kafka_queue_poll(handle->queue(), 0)}) {
    switch (rd_kafka_event_type(event.get())) {
      case RD_KAFKA_EVENT_DR:
        while (const rd_kafka_message_t* message = rd_kafka_event_message_next(event.get()))
          OnDelivery(*message);
        break;
      case RD_KAFKA_EVENT_ERROR:
        OnError(rd_kafka_event_error(event.get()), rd_kafka_event_error_string(event.get()));
        break;
      case RD_KAFKA_EVENT_DESCRIBECONFIGS_RESULT:
        OnConfig(*event);
        break;
      default:
        break;
    }
  }
}

void Producer::Core::OnDelivery(const rd_kafka_message_t& message) {
  if (wakeup_->stopped()) return;  // closed: the entries are gone
  auto* entry = static_cast<Entry*>(Handle::Untag(message._private));
  Topic& topic = *entry->topic;
  PartitionQueue& queue = *entry->queue;
  if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR && message.offset < 0) {
    entry->error = RD_KAFKA_RESP_ERR__GAPLESS_GUARANTEE;  // librdkafka's guess, not Kafka's word
    entry->maybe_stored = true;
  } else if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    OnAcked(topic, queue);
    queue.batch[entry->slot] = nullptr;
    Report(entry, Stored{message.partition, message.offset});
  } else {
    entry->error = message.err;
    entry->maybe_stored |=
        rd_kafka_message_status(&message) == RD_KAFKA_MSG_STATUS_POSSIBLY_PERSISTED;
  }
  if (--queue.undecided == 0) OnDecided(topic, queue);
}

void Producer::Core::OnAcked(Topic& topic, PartitionQueue& queue) {
  heard_ = loop_.Now();
  if (!connection_.connected) SetConnected(true);
  queue.known = true;
  queue.acked_at = heard_;
  queue.stalls = 0;
  if (!fatal_) failures_ = 0;
  if (fatal_text_.empty() && topic.refusal.empty()) return;
  if (!fatal_) fatal_text_.clear();
  topic.refusal.clear();
  ShowRefusals();
}

void Producer::Core::OnDecided(Topic& topic, PartitionQueue& queue) {
  Judge(queue);
  if (!topic.placed) GatherLater(topic);
  if (fatal_) RebuildWhenDecided();
}

void Producer::Core::Judge(PartitionQueue& queue) {
  // The gravest error of the batch says what is done with all of it.
  Entry* gravest = nullptr;
  ErrorMeaning meaning{};
  size_t bytes = 0;
  bool too_large = false, refused = false;
  for (Entry* entry : queue.batch) {
    if (!entry) continue;
    bytes += entry->bytes;
    const ErrorMeaning of_entry = MeaningOf(static_cast<rd_kafka_resp_err_t>(entry->error));
    refused |= of_entry.blame == Blame::kRecord;
    too_large |= of_entry.blame == Blame::kRecord && of_entry.reason == Reason::kTooLarge;
    if (gravest && of_entry.blame <= meaning.blame) continue;
    gravest = entry;
    meaning = of_entry;
  }
  if (!gravest) {
    queue.batch.clear();
    return HandOver(queue);
  }
  Topic& topic = *gravest->topic;
  const auto error = static_cast<rd_kafka_resp_err_t>(gravest->error);
  const size_t batch_size = queue.batch.size();
  if (uint64_t held_back; refusal_log_.Allow(loop_.Now(), held_back)) {
    Log(Level::kWarn, "Kafka did not take a batch",
        {{"topic", topic.name},
         {"partition", std::to_string(queue.partition)},
         {"events", std::to_string(batch_size)},
         {"error", rd_kafka_err2str(error)},
         {"held_back", std::to_string(held_back)}});
  }
  if (too_large) {
    // Learned: so much at once is too much. What the broker says of the topic is asked again.
    topic.limit = std::max<size_t>(std::min(topic.limit, bytes / (batch_size > 1 ? 2 : 1)), 1024);
    AskConfig(topic);
  }
  const size_t count = queue.TakeBack();
  if (refused && batch_size > 1) queue.alone += count;
  // Of a handle that has given up, no error means what it says of the moment or the topic.
  const bool alone_refused = refused && batch_size == 1;
  if (const auto fatal = handle_->fatal(); fatal && !alone_refused) {
    OnFatal(*fatal);
    if (denied_) RefuseFirst(queue, count, *denied_);
    return;
  }
  switch (meaning.blame) {
    case Blame::kRecord:
      if (!alone_refused) return HandOver(queue);
      // Learned, until the topic's config is asked for again.
      topic.compacted |= error == RD_KAFKA_RESP_ERR_INVALID_RECORD && !gravest->record.key;
      return RefuseFirst(queue, 1, ToRefusal(error, topic.name));
    case Blame::kTopic: {
      const Refusal refusal = ToRefusal(error, topic.name);
      topic.refusal = refusal.error.message + "; " + refusal.error.hint;
      RefuseFirst(queue, count, refusal);
      return ShowRefusals();
    }
    case Blame::kRouting:
      return Unplace(topic);
    case Blame::kHandle:
      return OnFatal({error, rd_kafka_err2str(error)});
    case Blame::kPassing:
      if (!serve_again_.armed())
        serve_again_ = loop_.After(std::chrono::milliseconds(100), [this] { ServeAll(); });
      return;
  }
}

void Producer::Core::RefuseFirst(PartitionQueue& queue, size_t count, const Refusal& refusal) {
  const auto end = queue.waiting.begin() + static_cast<long>(count);
  const std::vector<Entry*> refused(queue.waiting.begin(), end);
  queue.waiting.erase(queue.waiting.begin(), end);
  if (queue.idle()) MarkDirty(queue);
  // A report may end what it refers to.
  const Refusal why = refusal;  // NOLINT(performance-unnecessary-copy-initialization)
  for (Entry* entry : refused) Refuse(entry, why);
}

void Producer::Core::ServeAll() {
  for (const auto& [name, topic] : topics_)
    for (const auto& queue : topic->partitions)
      if (queue->idle() && !queue->waiting.empty()) MarkDirty(*queue);
}

void Producer::Core::OnError(rd_kafka_resp_err_t error, const std::string& text) {
  if (const auto fatal = handle_->fatal()) return OnFatal(*fatal);
  switch (error) {
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
      connection_.last_error = "authentication failed: " + text;
      break;
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
      break;
    default:
      connection_.last_error = text;
      break;
  }
  // Whether Kafka is away is for the cluster to say: an idle connection that a broker closes looks
  // like this too.
  if (!pinging_) {
    pinging_ = true;
    lookup_->Ask(handle_, {});
  }
}

}  // namespace outrigger::kafka
