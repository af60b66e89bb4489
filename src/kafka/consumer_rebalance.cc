// Partitions come and go, and the group is left.
#include <algorithm>

#include "kafka/consumer_core.h"

namespace outrigger::kafka {

using telemetry::Level;
using telemetry::Log;

namespace {

// From the release of partitions to the JoinGroup that librdkafka sends for it.
constexpr std::chrono::milliseconds kRejoins{200};
// Leaving waits for the end of a rejoin, so for the other members' heartbeats.
constexpr std::chrono::seconds kLongestLeave{8};

}  // namespace

std::vector<TopicPartition> Consumer::Core::HeldWhere(bool revoking) const {
  std::vector<TopicPartition> at;
  for (const auto& [each, held] : held_)
    if (held.revoking == revoking) at.push_back(each);
  return at;
}

void Consumer::Core::OnRebalance(rd_kafka_event_t& event) {
  const bool revoke = rd_kafka_event_error(&event) != RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
  const bool lost = revoke && rd_kafka_assignment_lost(handle_->rk()) != 0;
  std::vector<TopicPartition> at = FromList(rd_kafka_event_topic_partition_list(&event));
  // What was lost may have been so because nobody answers.
  if (!lost && !connection_.connected) SetConnected(true);
  handle_->group().JoinEnded();
  if (closing_) return OnRebalanceWhileClosing(revoke, lost, at);
  step_.reset();  // overtaken: its partitions, if any, are among HeldWhere(revoking)
  joined_ = !lost;
  EndAll(Trouble::kPosition);
  if (revoke) return StartRevoke(std::move(at), lost);
  for (const Trouble of :
       {Trouble::kFenced, Trouble::kClient, Trouble::kGroup, Trouble::kNotJoined})
    EndAll(of);
  if (const auto left = HeldWhere(true); !left.empty()) Release(left);
  StartAssign(std::move(at));
}

// ---- coming

void Consumer::Core::StartAssign(std::vector<TopicPartition> at) {
  step_ = Step{++last_step_, Step::Kind::kAssign, std::move(at), loop_.Now()};
  if (step_->at.empty()) return Hold({});
  AskStartingPoints(step_->id);
}

void Consumer::Core::Hold(const std::vector<StartingPoint>& points) {
  step_.reset();
  std::vector<Assigned> assigned;
  const PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(points.size())));
  for (const StartingPoint& point : points) {
    Resume(point.at);
    rd_kafka_topic_partition_t* at =
        rd_kafka_topic_partition_list_add(list.get(), point.at.topic.c_str(), point.at.partition);
    at->offset = point.offset;
    rd_kafka_topic_partition_set_leader_epoch(at, point.leader_epoch);
    Held& held = held_[point.at] = Held();
    held.epoch = ++last_epoch_;
    held.next = std::max<int64_t>(point.offset, -1);
    held.identity = point.identity;
    assigned.push_back({point.at, held.epoch, held.next, point.metadata, point.committed});
  }
  if (const std::string wrong = handle_->Assign(list.get()); !wrong.empty())
    return OnFatal("the assignment was not taken: " + wrong);
  if (assigned.empty()) return;
  rebuild_after_ = {};
  held_since_ = loop_.Now();
  handler_.on_assigned(std::move(assigned));
}

// ---- going

void Consumer::Core::StartRevoke(std::vector<TopicPartition> at, bool lost) {
  std::erase_if(at, [this](const TopicPartition& each) {
    const auto held = held_.find(each);
    return held == held_.end() || held->second.revoking;
  });
  if (!lost && !at.empty()) {
    step_ = Step{++last_step_, Step::Kind::kRevoke, at, loop_.Now()};
    return TellGone(at, step_->id, [this](auto left) { StartSettling(std::move(left)); });
  }
  std::vector<TopicPartition> all = HeldWhere(true);
  all.insert(all.end(), at.begin(), at.end());
  const auto tell = [this](std::vector<TopicPartition> those) {
    if (!those.empty()) handler_.on_revoked(std::move(those), true, [] {});
  };
  // What was lost is another member's now, unless its topic was deleted: librdkafka tells of both
  // in the same way. The starting points of what comes next are asked for after this.
  const bool ask = connection_.connected && !at.empty();
  if (ask) TellGone(at, {}, tell);
  Release(all);
  if (!ask) tell(std::move(at));
}

// librdkafka takes one answer for all that is revoked.
void Consumer::Core::StartSettling(std::vector<TopicPartition> fresh) {
  std::vector<TopicPartition> all = HeldWhere(true);
  all.insert(all.end(), fresh.begin(), fresh.end());
  step_.reset();
  if (!fresh.empty()) return Settle(Step::Kind::kRevoke, std::move(fresh), std::move(all));
  Release(all);
  if (closing_) CloseNext();
}

void Consumer::Core::Settle(Step::Kind kind, std::vector<TopicPartition> fresh,
                            std::vector<TopicPartition> all) {
  for (const auto& each : fresh) held_[each].revoking = true;
  step_ = Step{++last_step_, kind, std::move(all), loop_.Now()};
  handler_.on_revoked(std::move(fresh), false, [this, alive = alive_, step = step_->id] {
    if (*alive) OnSettled(step);
  });
}

void Consumer::Core::OnSettled(uint64_t step) {
  if (!step_ || step_->id != step) return;
  const Step settled = *std::exchange(step_, std::nullopt);
  if (settled.kind == Step::Kind::kClose) return Leave();
  if (settled.kind == Step::Kind::kRenew && !closing_)
    return ReplaceClient("nothing comes of Kafka");
  Release(settled.at);
  if (closing_) CloseNext();
}

// Gives partitions back; from here on their offsets are left out of commits.
void Consumer::Core::Release(const std::vector<TopicPartition>& at) {
  std::vector<TopicPartition> held;
  for (const auto& each : at) {
    if (held_.erase(each) == 0) continue;
    for (const Trouble of : {Trouble::kFetchRefused, Trouble::kPosition}) End(of, each.text());
    Resume(each);  // a pause ends with the assignment
    held.push_back(each);
  }
  if (!held.empty() && !leaving_) rejoin_until_ = loop_.Now() + kRejoins;
  if (const std::string wrong = handle_->Unassign(ToList(held).get()); !wrong.empty())
    OnFatal("the revocation was not taken: " + wrong);
}

// ---- leaving

void Consumer::Core::Close(std::function<void()> on_closed) {
  if (closing_) return;
  closing_ = true;
  on_closed_ = std::move(on_closed);
  if (fatal_) return Leave();
  if (step_ && step_->kind != Step::Kind::kAssign) return;  // goes on when it is settled
  if (step_) Hold({});                                      // nothing is started any more
  CloseNext();
}

void Consumer::Core::CloseNext() {
  const auto all = HeldWhere(false);
  if (all.empty()) return Leave();
  Settle(Step::Kind::kClose, all, all);
}

void Consumer::Core::OnRebalanceWhileClosing(bool revoke, bool lost,
                                             const std::vector<TopicPartition>& at) {
  if (!revoke) {  // nothing is started any more; what is being settled goes on
    if (const std::string wrong = handle_->Assign(ToList({}).get()); !wrong.empty())
      OnFatal("the assignment was not taken: " + wrong);
    return;
  }
  if (leaving_) return Release(at);
  if (!lost) {
    owed_ = at;  // they are being settled already
    return;
  }
  std::vector<TopicPartition> told;
  for (const auto& each : at)
    if (const auto held = held_.find(each); held != held_.end() && !held->second.revoking)
      told.push_back(each);
  Release(at);
  if (!told.empty()) handler_.on_revoked(std::move(told), true, [] {});
  if (!held_.empty()) return;
  step_.reset();
  Leave();
}

// rd_kafka_unsubscribe leaves the group also without partitions, and after a rejoin that is under
// way; closing does not (group_requests.h). A static member stays in its group.
void Consumer::Core::Leave() {
  if (std::exchange(leaving_, true)) return;
  if (fatal_ || !connection_.connected || !handle_->instance_id().empty() ||
      !handle_->group().ever_joined())
    return CloseHandle();
  leave_at_last_ = loop_.After(kLongestLeave, [this] { CloseHandle(); });
  side_->Run([this, &loop = loop_, alive = alive_, handle = handle_] {
    rd_kafka_unsubscribe(handle->rk());
    loop.Post([this, alive] {
      if (!*alive) return;
      if (const auto owed = std::exchange(owed_, std::nullopt)) Release(*owed);
      CheckClosed();
    });
  });
}

void Consumer::Core::CloseHandle() {
  if (std::exchange(closing_handle_, true)) return;
  rd_kafka_error_t* error = rd_kafka_consumer_close_queue(handle_->rk(), handle_->queue());
  if (error != nullptr) {
    Log(Level::kWarn, "the consumer could not leave its group",
        {{"group", options_.group}, {"error", rd_kafka_error_string(error)}});
    rd_kafka_error_destroy(error);
    fatal_ = true;  // there is nothing to wait for
  } else if (const auto owed = std::exchange(owed_, std::nullopt)) {
    Release(*owed);
  }
  Post([this] { CheckClosed(); });
}

void Consumer::Core::CheckClosed() {
  if (!leaving_ || closed_) return;
  if (!closing_handle_ && (fatal_ || handle_->group().left())) return CloseHandle();
  if (!closing_handle_ || (!fatal_ && rd_kafka_consumer_closed(handle_->rk()) == 0)) {
    look_closed_ = loop_.After(std::chrono::milliseconds(20), [this] { OnEvents(); });
    return;
  }
  closed_ = true;
  FailCommits("the consumer was closed");
  Post(std::exchange(on_closed_, nullptr));
}

}  // namespace outrigger::kafka
