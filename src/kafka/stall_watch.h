// Finds a batch that is undecided for long although its partition has a leader.
//
// librdkafka can wait for ever for what is not going to come: it believes no leader of an older
// epoch, which is what a topic has that was deleted and created again.
//
// Pure. Thread: the loop's.
#pragma once

#include <functional>

#include "kafka/topic_table.h"

namespace outrigger::kafka {

class StallWatch {
 public:
  // `after` doubles with each stall in a row; `jitter` in 256ths of it, so that not all clients of
  // a cluster act at once.
  StallWatch(base::Duration after, int jitter) : after_(after), jitter_(jitter) {}

  struct Stall {
    const Topic* topic = nullptr;  // null: none
    PartitionQueue* queue = nullptr;
  };
  // `look_up` gets a topic whose last lookup is too old to tell.
  Stall Find(const TopicTable& topics, base::TimePoint now,
             const std::function<void(Topic&)>& look_up) const;

 private:
  bool Overdue(const PartitionQueue& queue, base::TimePoint now) const;

  const base::Duration after_;
  const int jitter_;
};

}  // namespace outrigger::kafka
