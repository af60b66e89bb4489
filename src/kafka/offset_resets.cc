#include "kafka/offset_resets.h"

#include <algorithm>
#include <utility>

namespace outrigger::kafka {
namespace {

constexpr std::chrono::milliseconds kAskAgain{200};

}  // namespace

Reset JudgeReset(const TopicPartition& at, const HeldPartition& held, int64_t from,
                 const Range& range) {
  // What has come in the meantime is not lost.
  Reset reset{at, std::max(from, held.next), range.low, ResetReason::kTruncated, 0};
  int64_t end = held.sure_end;
  if (Differs(held.identity, range.identity)) {
    reset.reason = ResetReason::kRecreated;
  } else if (reset.from < range.low) {
    reset.reason = ResetReason::kDeleted;
    end = range.low;
  }
  if (reset.from >= 0) reset.lost = std::max<int64_t>(end - reset.from, 0);
  return reset;
}

OffsetResets::OffsetResets(ConsumerClient& client, HeldPartitions& held, ConsumerHealth& health,
                           Events events)
    : client_(client), held_(held), health_(health), events_(std::move(events)) {}

void OffsetResets::Begin(const TopicPartition& at, int64_t from) {
  HeldPartition* held = held_.Find(at);
  if (!held || held->phase != HeldPartition::Phase::kReading) return;
  held->phase = HeldPartition::Phase::kResetting;
  Ask(at, held->epoch, std::max(from, held->next));
}

void OffsetResets::Ask(const TopicPartition& at, uint64_t epoch, int64_t from) {
  client_.Ask([at](ConsumerHandle& handle) { return FindRange(handle.rk(), at); },
              [this, at, epoch, from](const base::Result<Range>& range) {
                OnRange(at, epoch, from, range);
              });
}

void OffsetResets::OnRange(const TopicPartition& at, uint64_t epoch, int64_t from,
                           const base::Result<Range>& range) {
  const bool ready = events_.make_ready();
  const HeldPartition* held = held_.Find(at, epoch);
  if (!held || held->phase != HeldPartition::Phase::kResetting) {
    again_.erase(at);
    return;
  }
  if (!range || !ready) {
    if (!range) health_.Begin(Trouble::kPosition, at.text(), range.error().message);
    again_[at] = client_.loop().After(kAskAgain, [this, at, epoch, from] { Ask(at, epoch, from); });
    return;
  }
  again_.erase(at);
  health_.End(Trouble::kPosition, at.text());
  events_.on_reset(JudgeReset(at, *held, from, *range), *range);
}

}  // namespace outrigger::kafka
