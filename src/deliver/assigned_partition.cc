#include "deliver/assigned_partition.h"

#include <algorithm>
#include <utility>

namespace outrigger::deliver {
namespace {

constexpr auto kFirstCommitWait = std::chrono::milliseconds(100);
constexpr auto kLongestCommitWait = std::chrono::seconds(2);

using Tenths = std::chrono::duration<int64_t, std::deci>;

int64_t ToTenths(base::WallTime time) {
  return std::chrono::floor<Tenths>(time.time_since_epoch()).count();
}

// From what an earlier assignment committed.
void RestorePart(SubscribedPartition& part, const Progress& progress, int64_t first) {
  // A time that no clock of ours could have shown is none.
  constexpr int64_t kMost =
      std::chrono::duration_cast<Tenths>(base::WallTime::duration::max()).count();
  for (size_t i = 0; i < progress.first_tries.size(); ++i)
    if (const int64_t time = progress.first_tries[i]; time > 0 && time < kMost)
      part.first_tries[progress.attempts[i].first] = base::WallTime(Tenths(time));
  part.offsets = PartitionOffsets(progress, first);
}

Progress ProgressOf(const SubscribedPartition& part) {
  Progress progress = part.offsets.progress();
  for (const auto& [offset, attempts] : progress.attempts) {
    const auto delivery = part.deliveries.find(offset);
    const auto restored = part.first_tries.find(offset);
    progress.first_tries.push_back(delivery != part.deliveries.end()
                                       ? ToTenths(delivery->second.first_tried)
                                   : restored != part.first_tries.end() ? ToTenths(restored->second)
                                                                        : 0);
  }
  return progress;
}

}  // namespace

SubscribedPartition& AssignedPartition::Add(Subscription& subscription, uint32_t id) {
  auto& part = *parts_.emplace_back(std::make_unique<SubscribedPartition>());
  part.number = number();
  part.room = &room_;
  part.subscription = &subscription;
  part.assigned = this;
  room_.Add(part.offsets);
  ids_.push_back(id);
  return part;
}

SubscribedPartition& AssignedPartition::AddLater(Subscription& subscription, uint32_t id) {
  int64_t next = assigned_.position;
  for (const auto& part : parts_) next = std::max(next, part->offsets.next());
  SubscribedPartition& part = Add(subscription, id);
  if (next >= 0) part.offsets = PartitionOffsets(Progress{next, {}, {}});
  if (committing_) committing_->versions.push_back(part.offsets.version());
  return part;
}

void AssignedPartition::Remove(const SubscribedPartition& part) {
  const auto at =
      std::ranges::find_if(parts_, [&](const auto& each) { return each.get() == &part; });
  const auto index = at - parts_.begin();
  room_.Remove(part.offsets);
  ids_.erase(ids_.begin() + index);
  if (committing_) committing_->versions.erase(committing_->versions.begin() + index);
  parts_.erase(at);
  // It may have been what held the offset.
  for (const auto& left : parts_) left->offsets.CommitStart();
}

void AssignedPartition::Restore() {
  const int64_t position = assigned_.position;
  if (position < 0) return;
  const auto sections = DecodeSections(assigned_.metadata, position);
  const auto own = alone_ ? DecodeMetadata(assigned_.metadata, position) : std::nullopt;
  for (size_t i = 0; i < parts_.size(); ++i) {
    Progress progress{position, {}, {}};
    if (own) progress = *own;
    for (const auto& section : sections.value_or(std::vector<Section>()))
      if (section.id == ids_[i]) progress = section.progress;
    RestorePart(*parts_[i], progress, position);
    // Where it begins is committed at once: after a restart before the first event is settled,
    // "latest" would be another place, and what came in between skipped.
    if (!assigned_.committed) parts_[i]->offsets.CommitStart();
  }
}

void AssignedPartition::StartOver() {
  for (const auto& part : parts_) {
    part->offsets = PartitionOffsets();
    part->first_tries.clear();
  }
}

void AssignedPartition::PassTo(int64_t next) {
  for (const auto& part : parts_) part->offsets.PassTo(next);
}

size_t AssignedPartition::in_flight() const {
  size_t sum = 0;
  for (const auto& part : parts_) sum += part->in_flight;
  return sum;
}

size_t AssignedPartition::unsettled() const {
  size_t sum = 0;
  for (const auto& part : parts_) sum += part->deliveries.size();
  return sum;
}

int64_t AssignedPartition::committable() const {
  int64_t least = parts_.empty() ? -1 : parts_.front()->offsets.committable();
  for (const auto& part : parts_) least = std::min(least, part->offsets.committable());
  return least;
}

bool AssignedPartition::dirty() const {
  return std::ranges::any_of(parts_, [](const auto& part) { return part->offsets.dirty(); });
}

kafka::Consumer::Offset AssignedPartition::BeginCommit(size_t limit, base::TimePoint now) {
  const int64_t committed = committable();
  std::vector<Section> sections;
  Commit commit;
  for (size_t i = 0; i < parts_.size(); ++i) {
    sections.push_back({ids_[i], ProgressOf(*parts_[i])});
    commit.versions.push_back(parts_[i]->offsets.version());
  }
  const auto encode = [&](size_t most) {
    return alone_ ? EncodeWithin(sections.front().progress, most)
                  : EncodeSections(committed, sections, most);
  };
  std::string metadata = encode(kMetadataMax);
  metadata_full_ = !FitsMetadata(metadata.size());
  if (metadata.size() > limit) metadata = encode(limit);
  commit.metadata = metadata.size();
  commit.since = now;
  committing_ = std::move(commit);
  return {at(), number(), std::max<int64_t>(committed, 0), std::move(metadata)};
}

bool AssignedPartition::OnTaken(const Commit& commit) {
  commit_wait_ = {};
  for (size_t i = 0; i < parts_.size(); ++i) parts_[i]->offsets.Committed(commit.versions[i]);
  return !std::exchange(commit_refused_, {}).empty();
}

void AssignedPartition::CommitLater(base::TimePoint now) {
  commit_wait_ = std::clamp<base::Duration>(commit_wait_ * 2, kFirstCommitWait, kLongestCommitWait);
  commit_at_ = now + commit_wait_;
}

bool AssignedPartition::patient() const {
  return commit_refused_.empty() && commit_wait_ < kLongestCommitWait;
}

bool AssignedPartition::full() const {
  return metadata_full_ || std::ranges::any_of(parts_, [](const auto& part) {
           return !part->waiting_for_room.empty();
         });
}

void AssignedPartition::Measure(std::optional<kafka::Consumer::Watermarks> marks,
                                base::TimePoint now, base::WallTime wall) {
  const Delivery* first = nullptr;
  for (const auto& part : parts_)
    if (!part->deliveries.empty())
      if (const auto& own = part->deliveries.begin()->second; !first || own.offset < first->offset)
        first = &own;
  std::optional<Held> oldest;
  if (first) oldest = Held{first->record().timestamp_ms, first->fetched->at};
  series_.oldest_unsettled_age.Set(
      oldest ? std::chrono::duration<double>(now - oldest->fetched).count() : 0);
  const int64_t next = committable();
  // What is not known is not 0: the last value stays.
  if (marks && next >= 0) lag_ = std::max<int64_t>(marks->high - next, 0);
  if (!lag_) return;
  series_.lag.Set(static_cast<double>(*lag_));
  series_.lag_seconds.Set(lag_age_.Seconds(*lag_, next, oldest, now, wall));
}

void AssignedPartition::Revoke(std::function<void()> settled, base::TimePoint by) {
  settled_ = std::move(settled);
  release_by_ = by;
  for (const auto& part : parts_) part->revoked = true;
}

void AssignedPartition::Retire() {
  retired_ = true;
  committing_.reset();
  commit_refused_.clear();
  series_ = {};
}

}  // namespace outrigger::deliver
