// Offsets on their way to the group's coordinator.
#include <cstdlib>
#include <cstring>
#include <utility>

#include "kafka/consumer_core.h"

namespace outrigger::kafka {
namespace {

constexpr char kNotOurs[] = "the partition is no longer assigned";
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

}  // namespace

// A commit that follows a JoinGroup is refused and costs all partitions (group_requests.h).
bool Consumer::Core::Rejoining() const {
  const GroupRequests& group = handle_->group();
  return group.joining() || group.MayJoin() || loop_.Now() < rejoin_until_;
}

std::string Consumer::Core::Tag(const TopicIdentity& identity, const std::string& metadata) const {
  return tags_ ? Tagged(identity, metadata) : metadata;
}

void Consumer::Core::Commit(std::vector<Offset> offsets, OnCommitted on_done) {
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
      Refuse(std::move(next), CommitRefusal::kPassing, "the group is joined again and again");
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
    SetMetadata(*at, ours ? Tag(held->second.identity, offset.metadata) : offset.metadata);
  }
  if (list->cnt == 0 || fatal_)
    return Refuse(std::move(commission), CommitRefusal::kNotMember, kNotOurs);
  const uint64_t id = ++last_commit_;
  const rd_kafka_resp_err_t error = rd_kafka_commit_queue(
      handle_->rk(), list.get(), handle_->queue(), nullptr, reinterpret_cast<void*>(id));
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
    commits_.emplace(id, std::move(commission));
  } else {
    Refuse(std::move(commission), RefusalOf(error), rd_kafka_err2str(error));
  }
}

void Consumer::Core::OnCommitEvent(rd_kafka_event_t& event) {
  const auto commit = commits_.extract(reinterpret_cast<uint64_t>(rd_kafka_event_opaque(&event)));
  if (commit.empty()) return;
  const rd_kafka_resp_err_t whole = rd_kafka_event_error(&event);
  const auto* list = rd_kafka_event_topic_partition_list(&event);
  std::unordered_map<TopicPartition, rd_kafka_resp_err_t, HashOf> errors;
  bool own = false;  // … of a partition; else `whole` is about the request, and so about all
  for (int i = 0; list != nullptr && i < list->cnt; ++i) {
    const auto& each = list->elems[i];
    // One of an earlier try may still be there when the last one was taken.
    errors[{each.topic, each.partition}] = whole == RD_KAFKA_RESP_ERR_NO_ERROR ? whole : each.err;
    own = own || each.err != RD_KAFKA_RESP_ERR_NO_ERROR;
  }
  std::vector<CommitResult> results;
  for (const Offset& offset : commit.mapped().offsets) {
    CommitResult& result =
        results.emplace_back(CommitResult{.at = offset.at, .epoch = offset.epoch, .why = {}});
    const auto error = errors.find(offset.at);
    if (error == errors.end()) {
      result.refusal = CommitRefusal::kNotMember;
      result.why = kNotOurs;
      continue;
    }
    const rd_kafka_resp_err_t code = own ? error->second : whole;
    result.refusal = RefusalOf(code);
    if (result.refusal == CommitRefusal::kMetadataTooLarge &&
        (commit.mapped().first || offset.metadata.empty()))
      tags_ = false;  // nothing else is there to be left out
    if (!result.taken()) {
      result.why = rd_kafka_err2str(code);
      continue;
    }
    EndAll(Trouble::kGroup);
    End(Trouble::kFetchRefused, offset.at.text());
  }
  commit.mapped().on_done(results);
}

void Consumer::Core::Refuse(Commission commission, CommitRefusal refusal, const std::string& why) {
  std::vector<CommitResult> results;
  for (const Offset& offset : commission.offsets)
    results.push_back({offset.at, offset.epoch, refusal, why});
  Post([on_done = std::move(commission.on_done), results = std::move(results)] {
    on_done(results);
  });
}

void Consumer::Core::FailCommits(const std::string& why) {
  for (auto& [id, commission] : std::exchange(commits_, {}))
    Refuse(std::move(commission), CommitRefusal::kNotMember, why);
  for (auto& commission : std::exchange(waiting_commits_, {}))
    Refuse(std::move(commission), CommitRefusal::kNotMember, why);
}

}  // namespace outrigger::kafka
