#include "kafka/end_of_turn.h"

namespace outrigger::kafka {

EndOfTurn::EndOfTurn(base::Loop& loop, std::function<void(PartitionQueue&)> serve,
                     std::function<void(Entry*, Refusal)> refuse)
    : serve_(std::move(serve)), refuse_(std::move(refuse)), calls_(loop) {}

EndOfTurn::~EndOfTurn() {
  for (const auto& [entry, refusal] : refused_) delete entry;
}

void EndOfTurn::Serve(PartitionQueue& queue) {
  if (std::exchange(queue.dirty, true)) return;
  queues_.push_back(&queue);
  Arm();
}

void EndOfTurn::Refuse(Entry* entry, Refusal refusal) {
  refused_.emplace_back(entry, std::move(refusal));
  Arm();
}

void EndOfTurn::Arm() {
  if (!std::exchange(armed_, true)) calls_.Post([this] { Run(); });
}

void EndOfTurn::Run() {
  armed_ = false;
  std::vector<PartitionQueue*> queues;
  queues.swap(queues_);
  for (PartitionQueue* queue : queues) {
    queue->dirty = false;
    serve_(*queue);
  }
  std::vector<std::pair<Entry*, Refusal>> refused;
  refused.swap(refused_);
  for (auto& [entry, refusal] : refused) refuse_(entry, std::move(refusal));
}

}  // namespace outrigger::kafka
