#include "deliver/lanes.h"

#include <iterator>
#include <utility>

namespace outrigger::deliver {

using State = Lanes::Item::State;

Lanes::~Lanes() {
  for (auto& [number, partition] : partitions_)
    for (Lane* lane : partition.lanes) delete lane;
}

Lanes::Lane* Lanes::LaneFor(const Item& item) {
  Partition& partition = partitions_[item.partition];
  std::optional<std::string> key;
  if (ordering_ == Ordering::kKey) key = item.key;
  if (ordering_ == Ordering::kPartition) key.emplace();
  if (key) {
    const auto known = partition.by_key.find(*key);
    if (known != partition.by_key.end()) return known->second;
  }
  auto* lane = new Lane{item.partition, std::move(key), {}, nullptr, {}, {}};
  if (lane->key) partition.by_key.emplace(*lane->key, lane);
  partition.lanes.insert(lane);
  ++lanes_;
  return lane;
}

void Lanes::Free(Lane* lane) {
  const auto partition = partitions_.find(lane->partition);
  if (lane->key) partition->second.by_key.erase(*lane->key);
  partition->second.lanes.erase(lane);
  if (partition->second.lanes.empty()) partitions_.erase(partition);
  --lanes_;
  delete lane;
}

void Lanes::Push(Item* item) {
  Lane* lane = LaneFor(*item);
  item->lane = lane;
  item->state = State::kWaiting;
  lane->items.push_back(item);
  ++items_;
  bytes_ += item->bytes;
  ++partitions_.find(item->partition)->second.events;
  if (lane->items.size() == 1) MakeReady(lane, Turn::kNext);
}

void Lanes::MakeReady(Lane* lane, Turn turn) {
  lane->items.front()->state = State::kReady;
  if (turn == Turn::kFirst) return StandIn(ready_, ready_.begin(), lane);
  Ready& line = failed_last_ && turn == Turn::kLast ? last_ : ready_;
  StandIn(line, line.end(), lane);
}

void Lanes::StandIn(Ready& line, Ready::iterator before, Lane* lane) {
  lane->line = &line;
  lane->ready = line.insert(before, lane);
}

void Lanes::set_failed_last(bool last) {
  if (std::exchange(failed_last_, last) == last || last) return;
  for (Lane* lane : last_) lane->line = &ready_;
  ready_.splice(ready_.end(), last_);
}

bool Lanes::Defer(Item* item) {
  if (!failed_last_ || item->state != State::kReady || item->lane->line != &ready_) return false;
  Withdraw(item);
  MakeReady(item->lane, Turn::kLast);
  return true;
}

void Lanes::WakeDue(base::TimePoint now) {
  while (!timers_.empty() && timers_.begin()->first <= now) {
    Lane* lane = timers_.begin()->second;
    timers_.erase(timers_.begin());
    MakeReady(lane, Turn::kLast);
  }
}

Lanes::Item* Lanes::Peek(base::TimePoint now) {
  WakeDue(now);
  const Ready& line = ready_.empty() ? last_ : ready_;
  if (line.empty() || in_flight_ >= concurrency_) return nullptr;
  return line.front()->items.front();
}

Lanes::Item* Lanes::Next(base::TimePoint now) {
  Item* item = Peek(now);
  if (!item) return nullptr;
  Withdraw(item);
  item->state = State::kInFlight;
  ++in_flight_;
  return item;
}

void Lanes::Withdraw(Item* head) {
  if (head->state == State::kInFlight) --in_flight_;
  if (head->state == State::kReady) head->lane->line->erase(head->lane->ready);
  if (head->state == State::kDelayed) timers_.erase(head->lane->timer);
  head->state = State::kWaiting;
}

void Lanes::Done(Item* item) {
  Lane* lane = item->lane;
  if (!lane) return;
  Withdraw(item);
  item->state = State::kOut;
  item->lane = nullptr;
  lane->items.pop_front();
  --items_;
  bytes_ -= item->bytes;
  --partitions_.find(lane->partition)->second.events;
  if (lane->items.empty()) {
    Free(lane);
  } else {
    MakeReady(lane, Turn::kNext);
  }
}

void Lanes::Recount(Item* item, size_t bytes) {
  if (item->lane) bytes_ += bytes - item->bytes;
  item->bytes = bytes;
}

void Lanes::RetryAt(Item* item, base::TimePoint when) {
  if (!item->lane) return;
  Withdraw(item);
  item->state = State::kDelayed;
  item->lane->timer = timers_.emplace(when, item->lane);
}

void Lanes::Park(Item* item) {
  if (!item->lane) return;
  Withdraw(item);
  item->state = State::kParked;
}

void Lanes::GiveBack(Item* item, Turn turn) {
  if (!item->lane) return;
  Withdraw(item);
  MakeReady(item->lane, turn);
}

std::optional<base::TimePoint> Lanes::NextWake() const {
  if (timers_.empty()) return std::nullopt;
  return timers_.begin()->first;
}

std::vector<Lanes::Item*> Lanes::RemovePartition(uint64_t number) {
  std::vector<Item*> dropped;
  const auto partition = partitions_.find(number);
  if (partition == partitions_.end()) return dropped;
  dropped.reserve(partition->second.events);
  for (Lane* lane : partition->second.lanes) {
    const bool flying = lane->items.front()->in_flight();
    Withdraw(lane->items.front());
    for (Item* item : lane->items) {
      item->state = State::kOut;
      item->lane = nullptr;
      bytes_ -= item->bytes;
      dropped.push_back(item);
    }
    if (flying) lane->items.front()->state = State::kCancelled;
    items_ -= lane->items.size();
    --lanes_;
    delete lane;
  }
  partitions_.erase(partition);
  return dropped;
}

size_t Lanes::events(uint64_t partition) const {
  const auto found = partitions_.find(partition);
  return found == partitions_.end() ? 0 : found->second.events;
}

}  // namespace outrigger::deliver
