// Wakes a loop when a librdkafka queue has events (rd_kafka_queue_io_event_enable). librdkafka
// tells only of the first event, so who is woken polls the queue until it is empty.
//
// Lifetime: `wakeup` outlives the queue's client, which writes to its descriptor until it is gone.
#pragma once

#include <librdkafka/rdkafka.h>

#include "base/wakeup.h"

namespace outrigger::kafka {

inline void WakeOnEvents(rd_kafka_queue_t* queue, const base::Wakeup& wakeup) {
  static const uint64_t kOne = 1;
  rd_kafka_queue_io_event_enable(queue, wakeup.descriptor(), &kOne, sizeof kOne);
}

}  // namespace outrigger::kafka
