#include "deliver/failure_window.h"

#include <algorithm>

namespace outrigger::deliver {

void FailureWindow::Add(const Failure& failure) {
  Expire(failure.at);
  all_.push_back(failure);
  if (!failure.counts) return;
  ++keys_[failure.key];
  ++counted_;
}

void FailureWindow::AddSilence(Id id, base::TimePoint begun, base::TimePoint now) {
  std::erase_if(silences_,
                [&](const auto& other) { return other.second + policy_.window < begun; });
  silences_[id] = now;
}

void FailureWindow::Clear() {
  all_.clear();
  keys_.clear();
  counted_ = 0;
  silences_.clear();
}

bool FailureWindow::Degraded() const {
  return silences_.size() > 1 || (counted_ >= policy_.failures && keys_.size() >= policy_.keys);
}

size_t FailureWindow::Keys(std::unordered_set<uint64_t> others, base::TimePoint now) {
  Expire(now);
  for (const auto& [key, times] : keys_) others.insert(key);
  return others.size();
}

bool FailureWindow::OfOthers(Id id, bool rejected, base::TimePoint now) {
  Expire(now);
  return std::any_of(all_.begin(), all_.end(), [&](const Failure& failure) {
    return failure.counts && failure.id != id && (!rejected || failure.rejected);
  });
}

std::map<FailureWindow::Id, uint32_t> FailureWindow::Attempts() const {
  std::map<Id, uint32_t> attempts;
  for (const auto& failure : all_)
    if (!failure.rejected) ++attempts[failure.id];
  return attempts;
}

void FailureWindow::Expire(base::TimePoint now) {
  while (!all_.empty() && (all_.front().at + policy_.window < now || all_.size() >= kMost)) {
    const Failure& oldest = all_.front();
    if (const auto known = keys_.find(oldest.key); oldest.counts && known != keys_.end()) {
      --counted_;
      if (--known->second == 0) keys_.erase(known);
    }
    all_.pop_front();
  }
}

}  // namespace outrigger::deliver
