// Wakes the loop when a librdkafka queue has events (rd_kafka_queue_io_event_enable).
//
// Thread: the loop's. Lifetime: outlives the clients of the queues it was told of, because they
// write to its descriptor until they are gone. Cost: two system calls a wake-up.
#pragma once

#include <librdkafka/rdkafka.h>

#include <functional>
#include <memory>

#include "base/loop.h"

namespace outrigger::kafka {

class QueueWakeup {
 public:
  // `on_events` is to poll the queue until it is empty: librdkafka tells only of the first event.
  QueueWakeup(base::Loop& loop, std::function<void()> on_events);
  QueueWakeup(const QueueWakeup&) = delete;
  QueueWakeup& operator=(const QueueWakeup&) = delete;
  ~QueueWakeup();

  void TellOf(rd_kafka_queue_t* queue);
  // No call comes after it.
  void Stop();
  bool stopped() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace outrigger::kafka
