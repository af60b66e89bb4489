// Offsets on their way to the group's coordinator.
#include <cstdlib>
#include <cstring>
#include <utility>

#include "kafka/consumer_core.h"

namespace outrigger::kafka {
namespace {

constexpr std::chrono::milliseconds kLookAgain{10};
// The other members' heartbeats and what they give back come before the end of a rejoin.
constexpr std::chrono::seconds kLongestRejoin{10};

// librdkafka frees it with the list.
void SetMetadata(rd_kafka_topic_partition_t& at, const std::string& metadata) {
  if (metadata.empty()) return;
  at.metadata = std::malloc(metadata.size());
  std::memcpy(at.metadata, metadata.data(), metadata.size());
  at.metadata_size = metadata.size();
}

base::Failure NotCommitted(const std::string& group, const std::string& why) {
  return base::Fail({base::Code::kUnavailable,
                     "offsets of group " + group + " were not committed: " + why,
                     {},
                     true});
}

}  // namespace

// A commit that follows a JoinGroup is refused and costs all partitions (group_requests.h).
bool Consumer::Core::Rejoining() const {
  const GroupRequests& group = handle_->group();
  return group.joining() || group.MayJoin() || loop_.Now() < rejoin_until_;
}

void Consumer::Core::Commit(std::vector<Offset> offsets, OnCommit on_done) {
  waiting_commits_.push_back(
      {std::move(offsets), std::move(on_done), loop_.Now() + kLongestRejoin, false});
  SendCommits();
}

void Consumer::Core::SendCommits() {
  while (!waiting_commits_.empty()) {
    const bool rejoining = Rejoining();
    if (rejoining && loop_.Now() < waiting_commits_.front().until) {
      if (!commit_again_.armed())
        commit_again_ = loop_.After(kLookAgain, [this] { SendCommits(); });
      return;
    }
    Commission next = std::move(waiting_commits_.front());
    waiting_commits_.pop_front();
    if (rejoining) {
      Post([on_done = std::move(next.on_done), group = options_.group] {
        on_done(NotCommitted(group, "the group is joined again and again"));
      });
    } else {
      SendCommit(std::move(next));
    }
  }
}

void Consumer::Core::SendCommit(Commission commission) {
  const PartitionList list(
      rd_kafka_topic_partition_list_new(static_cast<int>(commission.offsets.size())));
  for (const Offset& offset : commission.offsets) {
    const auto held = held_.find(offset.at);
    const bool ours = held != held_.end() && held->second.epoch == offset.epoch;
    if (!ours && !commission.first) continue;
    rd_kafka_topic_partition_t* at =
        rd_kafka_topic_partition_list_add(list.get(), offset.at.topic.c_str(), offset.at.partition);
    at->offset = offset.next;
    SetMetadata(*at, ours ? Tagged(held->second.identity, offset.metadata) : offset.metadata);
  }
  if (list->cnt == 0 || fatal_)
    return Post([on_done = std::move(commission.on_done)] { on_done({}); });
  const uint64_t id = ++last_commit_;
  const rd_kafka_resp_err_t error = rd_kafka_commit_queue(
      handle_->rk(), list.get(), handle_->queue(), nullptr, reinterpret_cast<void*>(id));
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
    commits_.emplace(id, std::move(commission.on_done));
    return;
  }
  Post([on_done = std::move(commission.on_done), error, group = options_.group] {
    on_done(NotCommitted(group, rd_kafka_err2str(error)));
  });
}

void Consumer::Core::OnCommitted(rd_kafka_event_t& event) {
  const auto commit = commits_.extract(reinterpret_cast<uint64_t>(rd_kafka_event_opaque(&event)));
  if (commit.empty()) return;
  rd_kafka_resp_err_t error = rd_kafka_event_error(&event);
  const auto* list = rd_kafka_event_topic_partition_list(&event);
  for (int i = 0; list != nullptr && i < list->cnt && error == RD_KAFKA_RESP_ERR_NO_ERROR; ++i)
    error = list->elems[i].err;
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return commit.mapped()({});
  commit.mapped()(NotCommitted(options_.group, rd_kafka_err2str(error)));
}

void Consumer::Core::FailCommits(const std::string& why) {
  for (auto& [id, on_done] : std::exchange(commits_, {}))
    on_done(NotCommitted(options_.group, why));
  for (auto& commission : std::exchange(waiting_commits_, {}))
    commission.on_done(NotCommitted(options_.group, why));
}

}  // namespace outrigger::kafka
