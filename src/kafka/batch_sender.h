// Hands the batches of the partition queues to the client: of each partition one at a time, within
// what its topic takes, none while the client is being replaced.
//
// Thread: the loop's; `on_decided` may come inside Send. Lifetime: what it is given outlives it.
#pragma once

#include <functional>

#include "kafka/client_recovery.h"
#include "kafka/end_of_turn.h"
#include "kafka/topic_table.h"

namespace outrigger::kafka {

class BatchSender {
 public:
  // `most_bytes`: of a batch, whatever its topic takes. `on_decided`: the client took
  // none of the batch, and why is in its records.
  BatchSender(base::Loop& loop, const TopicTable& topics, const ClientRecovery& recovery,
              EndOfTurn& end_of_turn, size_t most_bytes,
              std::function<void(Topic&, PartitionQueue&)> on_decided);

  // The client from now on; it outlives its use here.
  void Use(Handle& handle) { handle_ = &handle; }

  // Sends the record with the queue's next batch.
  void Enqueue(PartitionQueue& queue, Entry* entry);
  // The next batch of an idle queue, if it has one.
  void Send(PartitionQueue& queue);
  void SendAll();
  void SendAllLater();  // what an error that will pass held up

 private:
  void SendAllIn(base::Duration delay);

  base::Loop& loop_;
  const TopicTable& topics_;
  const ClientRecovery& recovery_;
  EndOfTurn& end_of_turn_;
  const size_t most_bytes_;
  const std::function<void(Topic&, PartitionQueue&)> on_decided_;
  Handle* handle_ = nullptr;
  base::Timer send_again_;
};

}  // namespace outrigger::kafka
