// Where partitions are read from, and where they are read on when that can't be.
#include <algorithm>

#include "kafka/consumer_core.h"

namespace outrigger::kafka {

using telemetry::Level;
using telemetry::Log;

namespace {

constexpr std::chrono::milliseconds kAskAgain{200};
// For the member that has a new group's first partition; it may be starting, or be gone.
constexpr std::chrono::seconds kOthersTurn{10};
constexpr std::chrono::seconds kAskIdentities{5};

const char* Name(ResetReason reason) {
  switch (reason) {
    case ResetReason::kDeleted:
      return "records were deleted before they were read";
    case ResetReason::kTruncated:
      return "the log was cut, and is read again from its beginning";
    case ResetReason::kRecreated:
      return "the topic was deleted; one that is created again is read from its beginning";
  }
  return "";
}

}  // namespace

// ---- where an assignment begins

void Consumer::Core::AskStartingPoints(uint64_t step) {
  if (!step_ || step_->id != step) return;
  const bool waited = loop_.Now() - step_->since > kOthersTurn;
  side_->Run([this, &loop = loop_, alive = alive_, handle = handle_, step, at = step_->at,
              start = group_start_, waited] {
    loop.Post([this, alive, step, found = start->Find(handle->rk(), at, waited)] {
      if (*alive) OnStartingPoints(step, found);
    });
  });
}

void Consumer::Core::OnStartingPoints(uint64_t step, base::Result<StartingPoints> found) {
  if (!step_ || step_->id != step) return;
  if (found && !found->first_commit.empty()) return BeginGroup(step, std::move(*found));
  if (found) {
    End(Trouble::kPosition, {});
    for (const StartingPoint& point : found->points)
      if (point.passed_over >= 0)
        TellReset({point.at, point.passed_over, point.offset, ResetReason::kRecreated, 0});
    return Hold(found->points);
  }
  // Without the committed offsets nothing can be started: a guess would skip or repeat records.
  AskStartingPointsLater(step, found.error().hint == kMustWait ? "" : found.error().message);
}

void Consumer::Core::AskStartingPointsLater(uint64_t step, const std::string& why) {
  if (!why.empty()) Begin(Trouble::kPosition, {}, why);
  ask_again_ = loop_.After(kAskAgain, [this, step] { AskStartingPoints(step); });
}

// Nothing is fetched before the group's beginning is committed: after a restart "latest" would be
// another place, and what came in between skipped.
void Consumer::Core::BeginGroup(uint64_t step, StartingPoints found) {
  Commission begin;
  begin.first = true;
  begin.until = step_->since + kOthersTurn;
  for (const StartingPoint& point : found.first_commit)
    begin.offsets.push_back({point.at, 0, point.offset, Tag(point.identity, {})});
  begin.on_done = [this, step,
                   points = std::move(found.points)](const std::vector<CommitResult>& results) {
    if (!step_ || step_->id != step) return;
    const auto refused = std::ranges::find_if_not(results, &CommitResult::taken);
    if (refused != results.end())
      return AskStartingPointsLater(
          step, "where group " + options_.group + " begins can't be committed: " + refused->why);
    End(Trouble::kPosition, {});
    Hold(points);
  };
  waiting_commits_.push_back(std::move(begin));
  SendCommits();
}

// ---- the end of a partition

void Consumer::Core::OnEnd(const TopicPartition& at, int64_t next) {
  const auto held = held_.find(at);
  if (held == held_.end() || held->second.revoking || next < held->second.next) return;
  held->second.next = next;
  held->second.ended = true;
  held->second.end = -1;
  if (handler_.on_end) handler_.on_end(at, held->second.epoch, next);
}

// ---- offsets out of range

void Consumer::Core::OnOutOfRange(const TopicPartition& at, int64_t offset) {
  const auto held = held_.find(at);
  if (held == held_.end() || held->second.revoking || held->second.resetting) return;
  held->second.resetting = true;
  AskReset(at, held->second.epoch, std::max(offset, held->second.next));
}

void Consumer::Core::AskReset(const TopicPartition& at, uint64_t epoch, int64_t from) {
  side_->Run([this, &loop = loop_, alive = alive_, handle = handle_, at, epoch, from] {
    loop.Post([this, alive, at, epoch, from, range = FindRange(handle->rk(), at)] {
      if (*alive) OnReset(at, epoch, from, range);
    });
  });
}

void Consumer::Core::OnReset(const TopicPartition& at, uint64_t epoch, int64_t from,
                             const base::Result<Range>& range) {
  // An event that waits in the queue may want this partition too: it goes first.
  if (!step_) OnEvents();
  const auto held = held_.find(at);
  if (closing_ || held == held_.end() || held->second.epoch != epoch || held->second.revoking)
    return;
  const bool unseen = !polling_ && !closing_;  // … and may still wait there
  if (!range || step_ || unseen) {
    if (!range) Begin(Trouble::kPosition, at.text(), range.error().message);
    held->second.again =
        loop_.After(kAskAgain, [this, at, epoch, from] { AskReset(at, epoch, from); });
    return;
  }
  End(Trouble::kPosition, at.text());
  // What has come in the meantime is not lost.
  Reset reset{at, std::max(from, held->second.next), range->low, ResetReason::kTruncated, 0};
  int64_t end = held->second.sure_end;
  if (Differs(held->second.identity, range->identity)) {
    reset.reason = ResetReason::kRecreated;
  } else if (reset.from < range->low) {
    reset.reason = ResetReason::kDeleted;
    end = range->low;
  }
  if (reset.from >= 0) reset.lost = std::max<int64_t>(end - reset.from, 0);
  TellReset(reset);
  if (reset.reason == ResetReason::kDeleted) return GoOnAt(at, reset.to);
  BeginAgain(at, *range);
}

void Consumer::Core::TellReset(const Reset& reset) {
  Log(Level::kError, Name(reset.reason),
      {{"group", options_.group},
       {"topic", reset.at.topic},
       {"partition", std::to_string(reset.at.partition)},
       {"from", std::to_string(reset.from)},
       {"to", std::to_string(reset.to)},
       {"lost", std::to_string(reset.lost)}});
  if (handler_.on_reset) handler_.on_reset(reset);
}

// The assignment stays; what was deleted is passed over.
void Consumer::Core::GoOnAt(const TopicPartition& at, int64_t to) {
  Held& held = held_[at];
  held.resetting = held.ended = false;
  held.next = to;
  const bool paused = paused_.contains(at);
  Resume(at);
  const PartitionList list = ToList({at});
  std::string wrong = handle_->Unassign(list.get());
  list->elems[0].offset = to;
  if (wrong.empty()) wrong = handle_->Assign(list.get());
  if (!wrong.empty()) return OnFatal("an offset was not taken: " + wrong);
  if (paused) Pause(at);
}

void Consumer::Core::BeginAgain(const TopicPartition& at, const Range& range) {
  Release({at});
  if (closing_ || fatal_) return;
  StartingPoint point;
  point.at = at;
  point.offset = range.low;
  point.identity = range.identity;
  Hold({point});
}

// ---- topics that are deleted, and perhaps created again

std::vector<std::string> Consumer::Core::HeldTopics() const {
  std::set<std::string> topics;
  for (const auto& [at, held] : held_) topics.insert(at.topic);
  return {topics.begin(), topics.end()};
}

// Of a partition whose topic is gone nobody else can deliver what the flow has in memory: it is
// told so, and `then` has those that are left. `step`: … unless that has been overtaken.
void Consumer::Core::TellGone(const std::vector<TopicPartition>& at, std::optional<uint64_t> step,
                              std::function<void(std::vector<TopicPartition>)> then) {
  struct Doubt {
    Reset reset;
    TopicIdentity identity;
  };
  std::vector<Doubt> doubts;
  std::vector<std::string> topics;
  for (const TopicPartition& each : at) {
    const Held& held = held_[each];
    const int64_t lost = held.next < 0 ? 0 : std::max<int64_t>(held.sure_end - held.next, 0);
    doubts.push_back({{each, held.next, -1, ResetReason::kRecreated, lost}, held.identity});
    if (std::find(topics.begin(), topics.end(), each.topic) == topics.end())
      topics.push_back(each.topic);
  }
  side_->Run([this, &loop = loop_, alive = alive_, handle = handle_, topics, doubts, step,
              then = std::move(then)] {
    loop.Post([this, alive, doubts, step, then, now = Identify(handle->rk(), topics)] {
      if (!*alive || (step && (!step_ || step_->id != *step))) return;
      std::vector<TopicPartition> left;
      for (const Doubt& doubt : doubts) {
        const TopicPartition& each = doubt.reset.at;
        const auto known = now.known.find(each.topic);
        const bool gone = now.missing.contains(each.topic) ||
                          (known != now.known.end() && Differs(doubt.identity, known->second));
        if (!gone) {
          left.push_back(each);
          continue;
        }
        // Held still, it goes with the others, when these have settled.
        if (const auto held = held_.find(each); held != held_.end()) held->second.revoking = true;
        TellReset(doubt.reset);
      }
      then(std::move(left));
    });
  });
}

// librdkafka reads the new topic on where it was in the old one, and says nothing.
void Consumer::Core::AskIdentities() {
  if (asking_identities_ || held_.empty() || !connection_.connected ||
      loop_.Now() < ask_identities_at_)
    return;
  asking_identities_ = true;
  struct Seen {
    TopicPartition at;
    uint64_t epoch;
    int64_t end;
  };
  std::vector<Seen> seen;
  for (const auto& [at, held] : held_) {
    const auto marks = WatermarksOf(at);
    seen.push_back({at, held.epoch, marks ? marks->high : -1});
  }
  side_->Run([this, &loop = loop_, alive = alive_, handle = handle_, topics = HeldTopics(), seen] {
    loop.Post([this, alive, seen, identities = Identify(handle->rk(), topics).known] {
      if (!*alive) return;
      asking_identities_ = false;
      ask_identities_at_ = loop_.Now() + kAskIdentities;
      for (const Seen& each : seen) {
        const auto now = identities.find(each.at.topic);
        const auto held = held_.find(each.at);
        if (now == identities.end() || held == held_.end() || held->second.epoch != each.epoch)
          continue;
        if (!held->second.identity.known()) held->second.identity = now->second;
        if (Differs(held->second.identity, now->second)) {
          OnOutOfRange(each.at, held->second.next);
        } else {
          held->second.sure_end = std::max(held->second.sure_end, each.end);
        }
      }
    });
  });
}

}  // namespace outrigger::kafka
