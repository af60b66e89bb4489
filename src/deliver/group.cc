#include "deliver/group.h"

#include <algorithm>
#include <utility>

#include "deliver/group_state.h"
#include "telemetry/log.h"

namespace outrigger::deliver {
namespace {

using telemetry::LostReason;

constexpr auto kMeasure = std::chrono::seconds(1);
constexpr auto kLookAgain = std::chrono::milliseconds(10);
// Beyond the time that a revoked partition has to settle.
constexpr auto kLastCommit = std::chrono::seconds(1);

base::Duration ShortestInterval(const std::vector<config::Subscription>& subscriptions) {
  return std::ranges::min(subscriptions, {}, &config::Subscription::commit_interval)
      .commit_interval;
}

}  // namespace

Group::Group(GroupParts parts)
    : parts_(std::move(parts)),
      loop_(parts_.loop),
      name_(parts_.options.subscriptions.front().group),
      backlog_(loop_, parts_.options.max_waiting_bytes, [this] { AfterTurn(); }),
      assignment_(parts_.metrics, name_),
      commits_({.loop = loop_,
                .assignment = assignment_,
                .group = name_,
                .interval = ShortestInterval(parts_.options.subscriptions),
                .send = [this](auto offsets,
                               auto on_done) { consumer_->Commit(std::move(offsets), on_done); },
                .on_answer =
                    [this](AssignedPartition& partition, bool gone) {
                      // What is no longer ours waits for nothing.
                      if (gone && partition.revoked()) return Forget(partition);
                      Touch(partition);
                    },
                .on_refused =
                    [this] {
                      for (const auto& each : roster_.all())
                        each->series().commits_refused.Increment();
                    },
                .on_changed = [this] { ShowAll(); },
                .on_answered = [this] { Turn(); }}),
      roster_(loop_, assignment_,
              {.create = [this](const auto& config) { return CreateSubscription(config); },
               .touch = [this](AssignedPartition& partition) { Touch(partition); },
               .on_gone = [this](const Subscription& gone) { parts_.on_gone(gone.name()); },
               .on_changed = [this] { OnOthers(); }}) {}

Group::~Group() {
  for (const auto& [number, partition] : assignment_.all()) {
    if (!partition->retired() || partition->unsettled() == 0) continue;
    telemetry::Log(telemetry::Level::kError,
                   "events of a topic that was deleted were in memory only and are lost",
                   {{"group", name_},
                    {"partition", partition->at().text()},
                    {"lost", std::to_string(partition->unsettled())}});
  }
}

base::Result<std::unique_ptr<Group>> Group::Create(GroupParts parts) {
  std::unique_ptr<Group> group(new Group(std::move(parts)));
  if (auto open = group->Open(); !open) return base::Fail(open.error());
  return group;
}

base::Result<std::unique_ptr<Subscription>> Group::CreateSubscription(
    const config::Subscription& config) {
  return Subscription::Create({.loop = loop_,
                               .config = config,
                               .sink = parts_.sink,
                               .metrics = parts_.metrics,
                               .json = json_,
                               .backlog = backlog_,
                               .touch = [this](AssignedPartition& each) { Touch(each); },
                               .on_turned = [this] { AfterTurn(); }});
}

base::Result<void> Group::Open() {
  if (auto open = roster_.Open(parts_.options.subscriptions); !open) return open;
  kafka::ConsumerHandler handler;
  handler.on_assigned = [this](auto assigned) { OnAssigned(std::move(assigned)); };
  handler.on_revoked = [this](auto revoked, bool lost, auto settled) {
    OnRevoked(revoked, lost, std::move(settled));
  };
  handler.on_records = [this](auto records) { OnRecords(std::move(records)); };
  handler.on_connection = [this](const kafka::Connection&) { ShowAll(); };
  handler.on_end = [this](const kafka::TopicPartition&, uint64_t epoch, int64_t next) {
    OnEnd(epoch, next);
  };
  handler.on_reset = [this](const kafka::Reset& reset) { OnReset(reset); };
  topics_ = roster_.topics();
  auto consumer = kafka::Consumer::Create(loop_,
                                          {.kafka = parts_.kafka,
                                           .group = name_,
                                           .topics = topics_.taken,
                                           .start = parts_.options.subscriptions.front().start_from,
                                           .never = topics_.never,
                                           .fetch = parts_.fetch},
                                          std::move(handler));
  if (!consumer) return base::Fail(consumer.error());
  consumer_ = std::move(*consumer);
  Measure();
  return {};
}

void Group::Apply(GroupOptions options) {
  parts_.options = std::move(options);
  const auto& subscriptions = parts_.options.subscriptions;
  backlog_.SetMaxBytes(parts_.options.max_waiting_bytes);
  commits_.SetInterval(ShortestInterval(subscriptions));
  roster_.Apply(subscriptions, parts_.options.rebalance_drain);
}

// Topics come when a subscription is there that takes them.
void Group::OnOthers() {
  if (Roster::Topics now = roster_.topics(); now != topics_) {
    topics_ = std::move(now);
    consumer_->SetTopics(topics_.taken, topics_.never);
  }
  paused_for_.reset();  // it is about others now
  AfterTurn();
  ShowAll();
}

std::vector<std::string> Group::names() const {
  std::vector<std::string> names;
  for (const auto& subscription : roster_.all()) names.push_back(subscription->name());
  return names;
}

void Group::Stop(base::Duration settle_within, std::function<void()> on_stopped) {
  stop_by_ = loop_.Now() + settle_within;
  ShowAll();
  // Everything is revoked, which waits for what is in flight.
  consumer_->Close(std::move(on_stopped));
}

void Group::OnRecords(std::vector<kafka::Consumed> records) {
  for (auto& record : records) {
    AssignedPartition* partition = assignment_.Find(record.epoch);
    if (partition && !partition->revoked()) Take(*partition, std::move(record));
  }
  Turn();
}

void Group::Take(AssignedPartition& partition, kafka::Consumed record) {
  const int64_t offset = record.offset;
  const auto fetched = std::make_shared<Fetched>(std::move(record), loop_.Now());
  for (size_t i = 0; i < partition.parts().size(); ++i) {
    SubscribedPartition& part = *partition.parts()[i];
    auto added = part.offsets.Add(offset);
    if (added == PartitionOffsets::Added::kBefore) {
      // All of its subscriptions began at one offset, so it is the first one that sees this.
      CancelAll(partition);
      partition.StartOver();
      added = part.offsets.Add(offset);
    }
    if (added != PartitionOffsets::Added::kNew) continue;
    part.subscription->Take(part, fetched);
  }
}

void Group::OnAssigned(std::vector<kafka::Assigned> assigned) {
  for (auto& each : assigned) {
    // Lost and ours again while it was still settling: its records are for the new one alone.
    if (AssignedPartition* before = assignment_.At(each.at)) Forget(*before);
    AssignedPartition& partition = assignment_.Add(std::move(each));
    for (const auto& subscription : roster_.all()) {
      if (!subscription->Takes(partition.at().topic)) continue;
      subscription->Join(partition.Add(*subscription, SubscriptionId(subscription->name())));
    }
    partition.SetAlone(roster_.all().size() == 1);
    partition.Restore();
    Touch(partition);
  }
  Turn();
  ShowAll();
}

void Group::OnRevoked(const std::vector<kafka::TopicPartition>& revoked, bool lost,
                      std::function<void()> settled) {
  // The answer is one for all; it is given with the last of them.
  auto left = std::make_shared<size_t>(1);
  const auto one_less = [left, settled = std::move(settled)] {
    if (--*left == 0) settled();
  };
  // Another pod waits for what a rebalance revokes; the end has time of its own.
  const base::TimePoint by = stop_by_.value_or(loop_.Now() + parts_.options.rebalance_drain);
  for (const auto& at : revoked) {
    AssignedPartition* partition = assignment_.At(at);
    if (!partition) continue;
    if (lost) {
      assignment_.KeepSeries(*partition);  // whether Kafka is away is seen later
      Forget(*partition);
      continue;
    }
    ++*left;
    partition->Revoke(one_less, by);
    partition->again = loop_.After(by - loop_.Now(), [this, partition] { Release(*partition); });
    Touch(*partition);
  }
  Turn();
  one_less();
  ShowAll();
}

void Group::OnEnd(uint64_t epoch, int64_t next) {
  AssignedPartition* partition = assignment_.Find(epoch);
  if (!partition || partition->revoked() || partition->retired()) return;
  partition->PassTo(next);
  Touch(*partition);
  AfterTurn();
}

void Group::OnReset(const kafka::Reset& reset) {
  const bool truncated = reset.reason == kafka::ResetReason::kTruncated;
  for (const auto& subscription : roster_.all()) {
    if (!subscription->Takes(reset.at.topic)) continue;
    subscription->series()
        .Topic(reset.at.topic)[truncated ? LostReason::kTruncated : LostReason::kDeleted]
        .Increment(static_cast<double>(reset.lost));
    if (reset.lost > 0 || truncated) ShowLost(parts_.conditions, subscription->name(), reset);
  }
  AssignedPartition* partition = assignment_.At(reset.at);
  if (!partition || partition->revoked()) return;
  if (reset.reason == kafka::ResetReason::kDeleted)
    partition->PassTo(reset.to);
  else
    assignment_.Retire(*partition);  // a commit could not name its offsets, but here are its events
  Touch(*partition);
  AfterTurn();
}

void Group::Turn() {
  for (const auto& subscription : roster_.all()) subscription->Turn();
}

void Group::Touch(AssignedPartition& partition) {
  if (!std::exchange(partition.touched, true)) touched_.push_back(&partition);
}

void Group::AfterTurn() {
  while (!touched_.empty()) {
    AssignedPartition& partition = *touched_.back();
    touched_.pop_back();
    partition.touched = false;
    Follow(partition);
  }
  backlog_.Update();
  roster_.Look();
  UpdatePauses();
  consumer_->SetPolling(backlog_.polls());
  for (const auto& subscription : roster_.all())
    if (subscription->TakeChanged()) Show(*subscription);
}

// The partition's offsets have changed, or what is in flight of it.
void Group::Follow(AssignedPartition& partition) {
  // What one subscription settled makes room in the metadata for the others, too.
  for (const auto& part : partition.parts())
    if (!part->waiting_for_room.empty() && part->subscription->UseRoom(*part))
      part->subscription->TurnSoon();
  if (partition.retired()) return Serve(partition);
  if (partition.revoked()) return ReleaseWhenSettled(partition);
  if (partition.dirty()) commits_.Later();
  UpdatePause(partition);
}

// Nobody else will deliver the events of a deleted topic: they stay, whatever is assigned to whom,
// until the last one has settled. Their attempts are counted in memory alone.
void Group::Serve(AssignedPartition& retired) {
  if (retired.unsettled() == 0) return Forget(retired);
  for (const auto& part : retired.parts()) {
    part->offsets.Committed(part->offsets.version());
    if (!part->awaiting_commit.empty()) part->subscription->TurnSoon();
  }
  LetRetriesGo(retired);
}

void Group::UpdatePauses() {
  uint64_t now = (backlog_.over() ? 1 : 0) | (backlog_.too_much_stuck() ? 2 : 0);
  uint64_t bit = 4;
  for (const auto& subscription : roster_.all()) {
    if (subscription->app_down()) now |= bit;
    bit <<= 1;
  }
  if (std::exchange(paused_for_, now) == now) return;
  for (const auto& [number, partition] : assignment_.all()) UpdatePause(*partition);
}

// While an app is degraded the probes need events of keys that have not failed, so fetching goes
// on.
void Group::UpdatePause(AssignedPartition& partition) {
  if (partition.revoked() || partition.retired()) return;
  const auto& parts = partition.parts();
  const bool all_down =
      std::ranges::all_of(parts, [](const auto& part) { return part->subscription->app_down(); });
  const bool stuck = backlog_.too_much_stuck() && std::ranges::any_of(parts, [](const auto& part) {
                       return part->stuck_bytes > 0;
                     });
  const bool pause = backlog_.over() || all_down || stuck || partition.full();
  if (pause == std::exchange(partition.paused, pause)) return;
  if (pause) {
    consumer_->Pause(partition.at());
  } else {
    consumer_->Resume(partition.at());
  }
}

void Group::ReleaseWhenSettled(AssignedPartition& partition) {
  if (partition.in_flight() == 0) Release(partition);
}

// What is in flight still is cancelled, which is not an attempt; the rest is committed, and then
// the partition is handed over: at the end of its time without the commit too, since another pod
// waits for it.
void Group::Release(AssignedPartition& partition) {
  CancelAll(partition);
  const base::TimePoint now = loop_.Now();
  const bool dirty = partition.dirty() && partition.committable() >= 0;
  if (!dirty && !partition.committing()) return Forget(partition);
  if (now >= partition.release_by() + kLastCommit) {
    telemetry::Log(telemetry::Level::kWarn,
                   "the last commit of a revoked partition was not taken in its time: events are "
                   "delivered again",
                   {{"partition", partition.at().text()}, {"error", partition.commit_refused()}});
    return Forget(partition);
  }
  // A commit under way is older than what has settled since; it comes first.
  if (!partition.committing() && partition.MayCommit(now)) commits_.Send(partition);
  partition.again = loop_.After(kLookAgain, [this, at = &partition] { Release(*at); });
}

void Group::Forget(AssignedPartition& partition) {
  CancelAll(partition);
  const auto settled = partition.TakeSettled();
  std::erase(touched_, &partition);
  assignment_.Remove(partition.number());
  if (settled) settled();
}

// What was cancelled makes room for others.
void Group::CancelAll(AssignedPartition& partition) {
  for (const auto& part : partition.parts()) {
    if (part->deliveries.empty()) continue;
    part->subscription->Leave(*part);
    part->subscription->TurnSoon();
  }
}

void Group::Measure() {
  measure_ = loop_.After(kMeasure, [this] { Measure(); });
  for (const auto& [number, partition] : assignment_.all())
    if (!partition->retired())
      partition->Measure(consumer_->WatermarksOf(partition->at()), loop_.Now(), loop_.Wall());
  commits_.Measure();
  if (consumer_->connection().connected && consumer_->joined()) assignment_.RemoveKeptSeries();
  const double more = static_cast<double>(consumer_->rebuilds() - rebuilds_);
  rebuilds_ = consumer_->rebuilds();
  for (const auto& subscription : roster_.all()) subscription->series().rebuilds.Increment(more);
  ShowAll();
  Turn();
}

void Group::ShowAll() {
  for (const auto& subscription : roster_.all()) Show(*subscription);
}

void Group::Show(const Subscription& subscription) {
  telemetry::Causes causes;
  if (stop_by_) {
    causes.Add(telemetry::Status::kFalse, telemetry::kShuttingDown,
               "nothing new is delivered; what the app is working on is waited for");
  } else {
    subscription.AddCauses(causes);
    const auto own = std::ranges::count_if(assignment_.all(), [&](const auto& each) {
      return subscription.Takes(each.second->at().topic);
    });
    AddKafkaCauses(consumer_.get(), name_, static_cast<size_t>(own), causes);
    commits_.AddCauses(causes);
  }
  telemetry::Condition shown = causes.Together();
  parts_.conditions.Set("Delivering/" + subscription.name(), shown.status, std::move(shown.reason),
                        std::move(shown.message));
}

}  // namespace outrigger::deliver
