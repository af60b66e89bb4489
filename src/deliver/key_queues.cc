#include "deliver/key_queues.h"

#include <iterator>
#include <utility>

namespace outrigger::deliver {

using State = KeyQueues::Item::State;

KeyQueues::~KeyQueues() {
  for (auto& [number, partition] : partitions_)
    for (Queue* queue : partition.queues) delete queue;
}

KeyQueues::Queue* KeyQueues::QueueFor(const Item& item) {
  Partition& partition = partitions_[item.partition];
  std::optional<std::string> key;
  if (ordering_ == Ordering::kKey) key = item.key;
  if (ordering_ == Ordering::kPartition) key.emplace();
  if (key) {
    const auto known = partition.by_key.find(*key);
    if (known != partition.by_key.end()) return known->second;
  }
  auto* queue = new Queue{item.partition, std::move(key), {}, nullptr, {}, {}};
  if (queue->key) partition.by_key.emplace(*queue->key, queue);
  partition.queues.insert(queue);
  ++queues_;
  return queue;
}

void KeyQueues::Free(Queue* queue) {
  const auto partition = partitions_.find(queue->partition);
  if (queue->key) partition->second.by_key.erase(*queue->key);
  partition->second.queues.erase(queue);
  if (partition->second.queues.empty()) partitions_.erase(partition);
  --queues_;
  delete queue;
}

void KeyQueues::Push(Item* item) {
  Queue* queue = QueueFor(*item);
  item->queue = queue;
  item->state = State::kWaiting;
  queue->items.push_back(item);
  ++items_;
  ++partitions_.find(item->partition)->second.events;
  if (queue->items.size() == 1) MakeReady(queue, Turn::kNext);
}

void KeyQueues::MakeReady(Queue* queue, Turn turn) {
  queue->items.front()->state = State::kReady;
  if (turn == Turn::kFirst) return Insert(ready_, ready_.begin(), queue);
  Ready& list = failed_last_ && turn == Turn::kLast ? last_ : ready_;
  Insert(list, list.end(), queue);
}

void KeyQueues::Insert(Ready& list, Ready::iterator before, Queue* queue) {
  queue->list = &list;
  queue->ready = list.insert(before, queue);
}

void KeyQueues::set_failed_last(bool last) {
  if (std::exchange(failed_last_, last) == last || last) return;
  for (Queue* queue : last_) queue->list = &ready_;
  ready_.splice(ready_.end(), last_);
}

bool KeyQueues::Defer(Item* item) {
  if (!failed_last_ || item->state != State::kReady || item->queue->list != &ready_) return false;
  Withdraw(item);
  MakeReady(item->queue, Turn::kLast);
  return true;
}

void KeyQueues::WakeDue(base::TimePoint now) {
  while (!timers_.empty() && timers_.begin()->first <= now) {
    Queue* queue = timers_.begin()->second;
    timers_.erase(timers_.begin());
    MakeReady(queue, Turn::kLast);
  }
}

KeyQueues::Item* KeyQueues::Peek(base::TimePoint now) {
  WakeDue(now);
  const Ready& list = ready_.empty() ? last_ : ready_;
  if (list.empty() || in_flight_ >= concurrency_) return nullptr;
  return list.front()->items.front();
}

KeyQueues::Item* KeyQueues::Next(base::TimePoint now) {
  Item* item = Peek(now);
  if (!item) return nullptr;
  Withdraw(item);
  item->state = State::kInFlight;
  ++in_flight_;
  return item;
}

void KeyQueues::Withdraw(Item* head) {
  if (head->state == State::kInFlight) --in_flight_;
  if (head->state == State::kReady) head->queue->list->erase(head->queue->ready);
  if (head->state == State::kDelayed) timers_.erase(head->queue->timer);
  head->state = State::kWaiting;
}

void KeyQueues::Done(Item* item) {
  Queue* queue = item->queue;
  if (!queue) return;
  Withdraw(item);
  item->state = State::kOut;
  item->queue = nullptr;
  queue->items.pop_front();
  --items_;
  --partitions_.find(queue->partition)->second.events;
  if (queue->items.empty()) {
    Free(queue);
  } else {
    MakeReady(queue, Turn::kNext);
  }
}

void KeyQueues::RetryAt(Item* item, base::TimePoint when) {
  if (!item->queue) return;
  Withdraw(item);
  item->state = State::kDelayed;
  item->queue->timer = timers_.emplace(when, item->queue);
}

void KeyQueues::Park(Item* item) {
  if (!item->queue) return;
  Withdraw(item);
  item->state = State::kParked;
}

void KeyQueues::PutBack(Item* item, Turn turn) {
  if (!item->queue) return;
  Withdraw(item);
  MakeReady(item->queue, turn);
}

std::optional<base::TimePoint> KeyQueues::NextWake() const {
  if (timers_.empty()) return std::nullopt;
  return timers_.begin()->first;
}

std::vector<KeyQueues::Item*> KeyQueues::RemovePartition(uint64_t number) {
  std::vector<Item*> dropped;
  const auto partition = partitions_.find(number);
  if (partition == partitions_.end()) return dropped;
  dropped.reserve(partition->second.events);
  for (Queue* queue : partition->second.queues) {
    const bool flying = queue->items.front()->in_flight();
    Withdraw(queue->items.front());
    for (Item* item : queue->items) {
      item->state = State::kOut;
      item->queue = nullptr;
      dropped.push_back(item);
    }
    if (flying) queue->items.front()->state = State::kCancelled;
    items_ -= queue->items.size();
    --queues_;
    delete queue;
  }
  partitions_.erase(partition);
  return dropped;
}

size_t KeyQueues::events(uint64_t partition) const {
  const auto found = partitions_.find(partition);
  return found == partitions_.end() ? 0 : found->second.events;
}

}  // namespace outrigger::deliver
