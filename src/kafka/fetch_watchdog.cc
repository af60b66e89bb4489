#include "kafka/fetch_watchdog.h"

#include <algorithm>

namespace outrigger::kafka {

void FetchWatchdog::Look(const std::vector<Seen>& all, base::TimePoint now) {
  std::map<TopicPartition, Watched> waiting;
  for (const Seen& seen : all) {
    const bool at_end = seen.position == seen.end || (seen.position < 0 && seen.end == 0);
    const auto suspect = suspects_.find(seen.at);
    if (suspect != suspects_.end() && (at_end || suspect->second != seen.position))
      suspects_.erase(suspect);
    if (at_end) continue;
    const auto before = waiting_.find(seen.at);
    const bool same = before != waiting_.end() && before->second.seen.epoch == seen.epoch &&
                      before->second.seen.position == seen.position;
    waiting.emplace(seen.at, Watched{seen, same ? before->second.since : now});
  }
  waiting_ = std::move(waiting);
  // Given to another member, or at rest: nobody can say whether the new client helped.
  if (!all.empty())
    std::erase_if(suspects_, [&](const auto& each) {
      return std::ranges::none_of(all, [&](const Seen& seen) { return seen.at == each.first; });
    });
  if (suspects_.empty() && !was_unjoined_) renewals_ = 0;
}

void FetchWatchdog::LookAtGroup(bool waits, base::TimePoint now) {
  if (!waits) {
    unjoined_since_.reset();
    was_unjoined_ = false;
  } else if (!unjoined_since_) {
    unjoined_since_ = now;
  }
}

base::Duration FetchWatchdog::Patience(base::Duration first) const {
  base::Duration patience = first;
  for (uint32_t n = 0; n < renewals_ && patience < policy_.longest; ++n) patience *= 2;
  patience = std::min(patience, std::max(policy_.longest, first));
  return patience + std::chrono::duration_cast<base::Duration>(patience * (jitter_ / 4));
}

std::vector<FetchWatchdog::Stalled> FetchWatchdog::stalled(base::TimePoint now) const {
  std::vector<Stalled> stalled;
  for (const auto& [at, watched] : waiting_)
    if (now - watched.since >= Patience(policy_.patience))
      stalled.push_back({watched.seen, now - watched.since});
  return stalled;
}

bool FetchWatchdog::stands_still(const std::string& partition, base::TimePoint now) const {
  const auto is = [&](const TopicPartition& at) { return at.text() == partition; };
  return std::ranges::any_of(suspects_, [&](const auto& each) { return is(each.first); }) ||
         std::ranges::any_of(stalled(now), [&](const Stalled& each) { return is(each.seen.at); });
}

std::optional<base::Duration> FetchWatchdog::not_joined(base::TimePoint now) const {
  if (!unjoined_since_ || now - *unjoined_since_ < Patience(policy_.joining)) return std::nullopt;
  return now - *unjoined_since_;
}

void FetchWatchdog::Renewed(double jitter, base::TimePoint now) {
  for (const Stalled& each : stalled(now)) suspects_[each.seen.at] = each.seen.position;
  was_unjoined_ = was_unjoined_ || not_joined(now).has_value();
  waiting_.clear();
  unjoined_since_.reset();
  ++renewals_;
  jitter_ = jitter;
}

}  // namespace outrigger::kafka
