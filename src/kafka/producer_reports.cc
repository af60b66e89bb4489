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
        OnLimit(*event);
        break;
      default:
        break;
    }
  }
}

void Producer::Core::OnDelivery(const rd_kafka_message_t& message) {
  if (wakeup_->stopped()) return;  // closed: the entries are gone
  auto* entry = static_cast<Entry*>(message._private);
  Topic& topic = *entry->topic;
  PartitionQueue& queue = *entry->queue;
  if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR && message.offset < 0) {
    entry->error = RD_KAFKA_RESP_ERR__GAPLESS_GUARANTEE;  // librdkafka's guess, not Kafka's word
  } else if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    heard_ = loop_.Now();
    if (!connection_.connected) SetConnected(true);
    queue.known = true;
    queue.batch[entry->slot] = nullptr;
    Report(entry, Stored{message.partition, message.offset});
  } else {
    entry->error = message.err;
  }
  if (--queue.undecided == 0) OnDecided(topic, queue);
}

void Producer::Core::OnDecided(Topic& topic, PartitionQueue& queue) {
  Judge(queue);
  if (!topic.placed) GatherLater(topic);
}

void Producer::Core::Judge(PartitionQueue& queue) {
  // The gravest error of the batch says what is done with all of it.
  Entry* gravest = nullptr;
  ErrorMeaning meaning{};
  size_t bytes = 0;
  for (Entry* entry : queue.batch) {
    if (!entry) continue;
    bytes += entry->bytes;
    const ErrorMeaning of_entry = MeaningOf(static_cast<rd_kafka_resp_err_t>(entry->error));
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
  switch (meaning.blame) {
    case Blame::kRecord: {
      if (meaning.reason == Reason::kTooLarge) {
        // Learned: so much at once is too much. What the broker says of the topic is asked again.
        topic.limit =
            std::max<size_t>(std::min(topic.limit, bytes / (batch_size > 1 ? 2 : 1)), 1024);
        AskLimit(topic);
      }
      if (batch_size > 1) {
        queue.alone += queue.TakeBack();
        return HandOver(queue);
      }
      queue.TakeBack();
      queue.waiting.pop_front();
      Report(gravest, tl::unexpected(ToRefusal(error, topic.name)));
      if (queue.idle()) MarkDirty(queue);
      return;
    }
    case Blame::kTopic: {
      const size_t count = queue.TakeBack();
      std::vector<Entry*> refused(queue.waiting.begin(),
                                  queue.waiting.begin() + static_cast<long>(count));
      queue.waiting.erase(queue.waiting.begin(), queue.waiting.begin() + static_cast<long>(count));
      for (Entry* entry : refused) Report(entry, tl::unexpected(ToRefusal(error, topic.name)));
      if (queue.idle()) MarkDirty(queue);
      return;
    }
    case Blame::kRouting:
      queue.TakeBack();
      return Unplace(topic);
    case Blame::kHandle:
      queue.TakeBack();
      return OnError(RD_KAFKA_RESP_ERR__FATAL, rd_kafka_err2str(error));
    case Blame::kPassing:
      queue.TakeBack();
      if (!serve_again_.armed())
        serve_again_ = loop_.After(std::chrono::milliseconds(100), [this] { ServeAll(); });
      return;
  }
}

void Producer::Core::ServeAll() {
  for (const auto& [name, topic] : topics_)
    for (const auto& queue : topic->partitions)
      if (queue->idle() && !queue->waiting.empty()) MarkDirty(*queue);
}

void Producer::Core::OnError(rd_kafka_resp_err_t error, const std::string& text) {
  switch (error) {
    case RD_KAFKA_RESP_ERR__FATAL: {
      if (std::exchange(fatal_, true)) return;
      char reason[512];
      const bool said =
          rd_kafka_fatal_error(handle_->rk(), reason, sizeof reason) != RD_KAFKA_RESP_ERR_NO_ERROR;
      loop_.Post([this, alive = alive_, why = said ? std::string(reason) : text] {
        if (*alive) Rebuild(why);
      });
      return;
    }
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

void Producer::Core::Rebuild(const std::string& why) {
  // Reports that are already here need not be sent again.
  OnEvents();
  auto handle = Handle::Producer(options_.kafka);
  if (!handle) {
    Log(Level::kError, "the Kafka client can't be built anew; trying again in a second",
        {{"error", handle.error().message}});
    serve_again_ = loop_.After(std::chrono::seconds(1), [this, why] { Rebuild(why); });
    return;
  }
  size_t again = 0;
  for (const auto& [name, topic] : topics_)
    for (const auto& queue : topic->partitions) {
      again += queue->TakeBack();
      queue->known = false;
      if (!topic->placed) GatherLater(*topic);
    }
  Log(Level::kWarn,
      "the Kafka client had a fatal error and was built anew; what was not acked is sent again",
      {{"error", why}, {"events", std::to_string(again)}});
  rd_kafka_queue_io_event_enable(handle_->queue(), -1, nullptr, 0);
  lookup_->Retire(std::move(handle_));
  handle_ = std::move(*handle);
  fatal_ = false;
  ++rebuilds_;
  Listen();
  ServeAll();
}

}  // namespace outrigger::kafka
