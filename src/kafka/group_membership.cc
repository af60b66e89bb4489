#include "kafka/group_membership.h"

#include <algorithm>
#include <utility>

namespace outrigger::kafka {

GroupMembership::GroupMembership(ConsumerClient& client, ConsumerHealth& health,
                                 HeldPartitions& held, CommitRequests& commits,
                                 TopicIdentities& identities, const ConsumerOptions& options,
                                 Events events)
    : client_(client),
      health_(health),
      held_(held),
      commits_(commits),
      identities_(identities),
      events_(std::move(events)),
      start_(client, health, commits, options),
      leave_(client, options.group,
             {events_.poll, [this](const std::vector<TopicPartition>& at) { Release(at); }}) {}

uint64_t GroupMembership::BeginStep(Step::Kind kind, std::vector<TopicPartition> at) {
  step_ = Step{++last_step_, kind, std::move(at)};
  return last_step_;
}

void GroupMembership::EndStep() {
  step_.reset();
  start_.Cancel();
}

void GroupMembership::OnRebalance(rd_kafka_event_t& event) {
  const bool revoke = rd_kafka_event_error(&event) != RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
  const bool lost = revoke && rd_kafka_assignment_lost(client_.rk()) != 0;
  std::vector<TopicPartition> at = FromList(rd_kafka_event_topic_partition_list(&event));
  // What was lost may have been so because nobody answers.
  if (!lost && !health_.connected()) health_.OnHeard(client_.Now());
  client_.handle()->group().JoinEnded();
  if (closing()) return OnRebalanceWhileClosing(revoke, lost, at);
  EndStep();  // overtaken: its partitions, if any, are among held_.revoking()
  health_.EndAll(Trouble::kPosition);
  if (lost) return Lose(held_.NotRevoking(std::move(at)));
  join_.OnShared(client_.Now());
  if (revoke) return StartRevoke(held_.NotRevoking(std::move(at)));
  for (const Trouble of :
       {Trouble::kFenced, Trouble::kClient, Trouble::kGroup, Trouble::kNotJoined})
    health_.EndAll(of);
  if (const auto left = held_.revoking(); !left.empty() && !Release(left)) return;
  StartAssign(std::move(at));
}

void GroupMembership::OnTopicCame(base::TimePoint missing_at) {
  join_.OnTopicCame(missing_at, !held_.empty() || stepping());
}

// ---- partitions come

void GroupMembership::StartAssign(std::vector<TopicPartition> at) {
  const uint64_t step = BeginStep(Step::Kind::kAssign, at);
  if (at.empty()) return Hold({});
  start_.Find(std::move(at), [this, step](const std::vector<StartingPoint>& points) {
    for (const StartingPoint& point : points)
      if (point.passed_over >= 0)
        events_.on_reset({point.at, point.passed_over, point.offset, ResetReason::kRecreated, 0});
    if (AtStep(step)) Hold(points);
  });
}

void GroupMembership::Hold(const std::vector<StartingPoint>& points) {
  EndStep();
  std::vector<Assigned> assigned;
  const PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(points.size())));
  for (const StartingPoint& point : points) {
    Resume(point.at);
    rd_kafka_topic_partition_t* at =
        rd_kafka_topic_partition_list_add(list.get(), point.at.topic.c_str(), point.at.partition);
    at->offset = point.offset;
    rd_kafka_topic_partition_set_leader_epoch(at, point.leader_epoch);
    const HeldPartition& held =
        held_.Add(point.at, std::max<int64_t>(point.offset, -1), point.identity);
    assigned.push_back({point.at, held.epoch, held.next, point.metadata, point.committed});
  }
  if (const std::string wrong = client_.handle()->Assign(list.get()); !wrong.empty())
    return events_.on_fatal("the assignment was not taken: " + wrong);
  if (!assigned.empty()) events_.on_assigned(std::move(assigned));
}

// ---- partitions go

void GroupMembership::StartRevoke(std::vector<TopicPartition> at) {
  if (at.empty()) return SettleRevoked({});
  const uint64_t step = BeginStep(Step::Kind::kRevoke, at);
  identities_.FindGone(at, [this, step](TopicIdentities::Found found) {
    if (!AtStep(step)) return;
    for (const Reset& reset : found.gone) {
      // It goes with the others, when these have settled.
      if (HeldPartition* held = held_.Find(reset.at)) held->phase = HeldPartition::Phase::kRevoking;
      events_.on_reset(reset);
    }
    SettleRevoked(std::move(found.there));
  });
}

// What was lost is another member's now, unless its topic was deleted: librdkafka tells of both in
// the same way. The starting points of what comes next are asked for after this.
void GroupMembership::Lose(std::vector<TopicPartition> at) {
  join_.OnLost();
  std::vector<TopicPartition> all = held_.revoking();
  all.insert(all.end(), at.begin(), at.end());
  const bool ask = health_.connected() && !at.empty();
  if (ask) {
    identities_.FindGone(at, [this](TopicIdentities::Found found) {
      for (const Reset& reset : found.gone) events_.on_reset(reset);
      TellLost(std::move(found.there));
    });
  }
  Release(all);
  if (!ask) TellLost(std::move(at));
}

void GroupMembership::TellLost(std::vector<TopicPartition> at) {
  if (!at.empty()) events_.on_revoked(std::move(at), true, [] {});
}

// librdkafka takes one answer for all that is revoked.
void GroupMembership::SettleRevoked(std::vector<TopicPartition> fresh) {
  std::vector<TopicPartition> all = held_.revoking();
  all.insert(all.end(), fresh.begin(), fresh.end());
  EndStep();
  if (!fresh.empty()) return Settle(Step::Kind::kRevoke, std::move(fresh), std::move(all));
  Release(all);
  if (closing()) CloseNext();
}

void GroupMembership::Settle(Step::Kind kind, std::vector<TopicPartition> fresh,
                             std::vector<TopicPartition> all) {
  for (const auto& each : fresh) held_.Find(each)->phase = HeldPartition::Phase::kRevoking;
  const uint64_t step = BeginStep(kind, std::move(all));
  events_.on_revoked(std::move(fresh), false,
                     client_.WhileAlive([this, step] { OnSettled(step); }));
}

void GroupMembership::OnSettled(uint64_t step) {
  if (!AtStep(step)) return;
  const Step settled = *std::exchange(step_, std::nullopt);
  if (settled.kind == Step::Kind::kClose) return Leave();
  if (settled.kind == Step::Kind::kRenew && !closing()) return events_.on_renewable();
  Release(settled.at);
  if (closing()) CloseNext();
}

// From here on their offsets are left out of commits.
bool GroupMembership::Release(const std::vector<TopicPartition>& at) {
  std::vector<TopicPartition> held;
  for (const auto& each : at) {
    if (!held_.Find(each)) continue;
    Resume(each);  // a pause ends with the assignment
    held_.Erase(each);
    for (const Trouble of : {Trouble::kFetchRefused, Trouble::kPosition})
      health_.End(of, each.text());
    held.push_back(each);
  }
  if (!held.empty() && !leave_.leaving()) commits_.OnReleased();
  const std::string wrong = client_.handle()->Unassign(ToList(held).get());
  if (!wrong.empty()) events_.on_fatal("the revocation was not taken: " + wrong);
  return wrong.empty();
}

void GroupMembership::OnClientFailed(const std::string& why) {
  EndStep();
  join_.OnLost();
  auto fresh = held_.not_revoking();
  held_.Clear();
  health_.EndAll(Trouble::kPosition);
  health_.EndAll(Trouble::kFetchRefused);
  commits_.RefuseAll(why);
  TellLost(std::move(fresh));
  if (!closing()) return;
  leave_.OnClientFailed();
  Leave();
}

void GroupMembership::Renew() {
  const auto all = held_.not_revoking();
  if (all.empty()) return events_.on_renewable();
  Settle(Step::Kind::kRenew, all, all);
}

// ---- leaving

void GroupMembership::Close(bool client_works, std::function<void()> on_closed) {
  if (closing()) return;
  leave_.Begin(std::move(on_closed));
  if (!client_works) {
    leave_.OnClientFailed();
    return Leave();
  }
  if (step_ && step_->kind != Step::Kind::kAssign) return;  // goes on when it is settled
  if (step_) Hold({});                                      // nothing is started any more
  CloseNext();
}

void GroupMembership::CloseNext() {
  const auto all = held_.not_revoking();
  if (all.empty()) return Leave();
  Settle(Step::Kind::kClose, all, all);
}

void GroupMembership::OnRebalanceWhileClosing(bool revoke, bool lost,
                                              const std::vector<TopicPartition>& at) {
  if (!revoke) {  // nothing is started any more; what is being settled goes on
    const std::string wrong = client_.handle()->Assign(ToList({}).get());
    if (!wrong.empty()) events_.on_fatal("the assignment was not taken: " + wrong);
    return;
  }
  if (leave_.leaving()) return static_cast<void>(Release(at));
  if (!lost) return leave_.Owe(at);
  std::vector<TopicPartition> told = held_.NotRevoking(at);
  Release(at);
  TellLost(std::move(told));
  if (!held_.empty()) return;
  EndStep();
  Leave();
}

// ---- where an assigned partition is read

void GroupMembership::Pause(const TopicPartition& at) {
  HeldPartition* held = held_.Find(at);
  if (!held || held->paused) return;
  held->paused = true;
  held->at_end = false;
  rd_kafka_pause_partitions(client_.rk(), ToList({at}).get());
}

void GroupMembership::Resume(const TopicPartition& at) {
  HeldPartition* held = held_.Find(at);
  if (!held || !held->paused) return;
  held->paused = false;
  rd_kafka_resume_partitions(client_.rk(), ToList({at}).get());
}

void GroupMembership::MoveTo(const TopicPartition& at, int64_t offset) {
  HeldPartition* held = held_.Find(at);
  if (!held || held->revoking()) return;
  held->phase = HeldPartition::Phase::kReading;
  held->at_end = false;
  held->next = offset;
  const bool paused = held->paused;
  Resume(at);
  const PartitionList list = ToList({at});
  std::string wrong = client_.handle()->Unassign(list.get());
  list->elems[0].offset = offset;
  if (wrong.empty()) wrong = client_.handle()->Assign(list.get());
  if (!wrong.empty()) return events_.on_fatal("an offset was not taken: " + wrong);
  if (paused) Pause(at);
}

void GroupMembership::BeginAgain(StartingPoint point) {
  if (Release({point.at}) && !closing()) Hold({std::move(point)});
}

}  // namespace outrigger::kafka
