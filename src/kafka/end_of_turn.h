// What a producer does once at the end of the loop's turn: it serves the queues that have something
// to send, so that what arrives together goes together, and then reports refusals, which do not
// come inside Produce.
//
// Thread: the loop's. Lifetime: no call comes after destruction; refusals that are not reported are
// dropped with their records.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "base/loop_calls.h"
#include "kafka/partition_queue.h"

namespace outrigger::kafka {

class EndOfTurn {
 public:
  EndOfTurn(base::Loop& loop, std::function<void(PartitionQueue&)> serve,
            std::function<void(Entry*, Refusal)> refuse);
  ~EndOfTurn();

  void Serve(PartitionQueue& queue);
  void Refuse(Entry* entry, Refusal refusal);
  // The queue is about to end.
  void Forget(const PartitionQueue& queue) { std::erase(queues_, &queue); }

 private:
  void Arm();
  void Run();

  const std::function<void(PartitionQueue&)> serve_;
  const std::function<void(Entry*, Refusal)> refuse_;
  std::vector<PartitionQueue*> queues_;
  std::vector<std::pair<Entry*, Refusal>> refused_;
  bool armed_ = false;
  base::LoopCalls calls_;
};

}  // namespace outrigger::kafka
