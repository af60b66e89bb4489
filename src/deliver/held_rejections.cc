#include "deliver/held_rejections.h"

#include <utility>

namespace outrigger::deliver {

void HeldRejections::Extend(base::Duration wait) {
  for (auto& [id, rejected] : held_) rejected.due = rejected.at + wait;
}

std::vector<HeldRejections::Held> HeldRejections::TakeJudged(uint64_t key, base::TimePoint begun) {
  std::vector<Held> judged;
  std::erase_if(held_, [&](const auto& each) {
    const auto& [id, rejected] = each;
    if (rejected.key == key || rejected.at > begun) return false;
    judged.push_back({id, rejected.key});
    return true;
  });
  return judged;
}

std::vector<HeldRejections::Id> HeldRejections::Due(base::TimePoint now) const {
  std::vector<Id> due;
  for (const auto& [id, rejected] : held_)
    if (rejected.due <= now) due.push_back(id);
  return due;
}

std::vector<HeldRejections::Held> HeldRejections::TakeAll() {
  std::vector<Held> all;
  all.reserve(held_.size());
  for (const auto& [id, rejected] : std::exchange(held_, {})) all.push_back({id, rejected.key});
  return all;
}

std::unordered_set<uint64_t> HeldRejections::Keys() const {
  std::unordered_set<uint64_t> keys;
  for (const auto& [id, rejected] : held_) keys.insert(rejected.key);
  return keys;
}

std::optional<base::TimePoint> HeldRejections::Next() const {
  std::optional<base::TimePoint> next;
  for (const auto& [id, rejected] : held_)
    if (!next || rejected.due < *next) next = rejected.due;
  return next;
}

}  // namespace outrigger::deliver
