#include "kafka/batch_sender.h"

#include <algorithm>
#include <cassert>

#include "base/fail_point.h"
#include "kafka/produce_record.h"

namespace outrigger::kafka {
namespace {

// A broker forgets the sequence numbers of a client that wrote nothing for a day, and a shorter
// time where producer.id.expiration.ms says so.
constexpr auto kMayBeForgotten = std::chrono::minutes(5);
constexpr base::Duration kFullAgain = std::chrono::milliseconds(10);
constexpr base::Duration kPassingAgain = std::chrono::milliseconds(100);

}  // namespace

BatchSender::BatchSender(base::Loop& loop, const TopicTable& topics, const ClientRecovery& recovery,
                         EndOfTurn& end_of_turn, size_t most_bytes,
                         std::function<void(Topic&, PartitionQueue&)> on_decided)
    : loop_(loop),
      topics_(topics),
      recovery_(recovery),
      end_of_turn_(end_of_turn),
      most_bytes_(most_bytes),
      on_decided_(std::move(on_decided)) {}

void BatchSender::Enqueue(PartitionQueue& queue, Entry* entry) {
  entry->queue = &queue;
  queue.waiting.push_back(entry);
  if (queue.idle()) end_of_turn_.Serve(queue);
}

void BatchSender::Send(PartitionQueue& queue) {
  assert(queue.idle());
  if (queue.waiting.empty() || recovery_.rebuilding()) return;
  Topic& topic = *queue.waiting.front()->topic;
  if (!topic.placed()) return;
  queue.handed_at = loop_.Now();
  if (queue.handed_at - queue.acked_at > kMayBeForgotten) queue.known = false;
  BatchLimits limits = topic.limits().ForBatch(queue.handed_at);
  limits.bytes = std::min(limits.bytes, most_bytes_);
  queue.FormBatch(limits);
  topic.OnBatch(queue);
  base::Reach(base::FailPoint::kBatch);
  for (size_t i = 0; i < queue.batch.size(); ++i) {
    const rd_kafka_resp_err_t error = GiveToClient(*handle_, *queue.batch[i]);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
      // Tried again with the next event or in a moment.
      queue.TakeBackFrom(i);
      SendAllIn(kFullAgain);
      if (i > 0 && queue.undecided == 0) on_decided_(topic, queue);  // all before it were refused
      return;
    }
    queue.batch[i]->error = error;
    if (--queue.undecided == 0) return on_decided_(topic, queue);
  }
  base::Reach(base::FailPoint::kBatchSent);
}

void BatchSender::SendAll() {
  for (const auto& [name, topic] : topics_.topics())
    for (const auto& queue : topic->queues())
      if (queue->idle() && !queue->waiting.empty()) end_of_turn_.Serve(*queue);
}

void BatchSender::SendAllLater() { SendAllIn(kPassingAgain); }

void BatchSender::SendAllIn(base::Duration delay) {
  if (!send_again_.armed()) send_again_ = loop_.After(delay, [this] { SendAll(); });
}

}  // namespace outrigger::kafka
