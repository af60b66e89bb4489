#include "kafka/consumer_client.h"

#include "kafka/queue_wakeup.h"

namespace outrigger::kafka {

ConsumerClient::ConsumerClient(base::Loop& loop, std::function<void()> on_events)
    : loop_(loop),
      wakeup_(loop, std::move(on_events)),
      calls_(loop),
      side_(std::make_unique<base::SideThread>()) {}

void ConsumerClient::Use(std::shared_ptr<ConsumerHandle> handle) {
  if (handle_) rd_kafka_queue_io_event_enable(handle_->queue(), -1, nullptr, 0);
  handle_ = std::move(handle);
  WakeOnEvents(handle_->queue(), wakeup_);
}

void ConsumerClient::Stop() {
  calls_.Stop();
  wakeup_.Stop();
  side_.reset();  // its last question may hold the handle
  handle_.reset();
}

Consumer::Watermarks ConsumerClient::FetchedOffsets(const TopicPartition& at) const {
  Consumer::Watermarks offsets;
  rd_kafka_get_watermark_offsets(rk(), at.topic.c_str(), at.partition, &offsets.low, &offsets.high);
  return offsets;
}

}  // namespace outrigger::kafka
