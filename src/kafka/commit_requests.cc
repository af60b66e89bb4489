#include "kafka/commit_requests.h"

#include <cstdlib>
#include <cstring>
#include <unordered_map>
#include <utility>

namespace outrigger::kafka {
namespace {

constexpr char kNotOurs[] = "the partition is no longer assigned";
constexpr std::chrono::milliseconds kLookAgain{10};
// The other members' heartbeats and their last commits come before the end of a rejoin.
constexpr std::chrono::seconds kLongestRejoin{10};
// From the release of partitions to the JoinGroup that librdkafka sends for it.
constexpr std::chrono::milliseconds kRejoins{200};

// librdkafka frees it with the list.
void SetMetadata(rd_kafka_topic_partition_t& at, const std::string& metadata) {
  if (metadata.empty()) return;
  at.metadata = std::malloc(metadata.size());
  std::memcpy(at.metadata, metadata.data(), metadata.size());
  at.metadata_size = metadata.size();
}

// What the answer says of each partition; of one that is not in it nothing was sent.
std::unordered_map<TopicPartition, rd_kafka_resp_err_t, HashOf> ErrorsOf(rd_kafka_event_t& event) {
  const rd_kafka_resp_err_t whole = rd_kafka_event_error(&event);
  const auto* list = rd_kafka_event_topic_partition_list(&event);
  bool own = false;  // … of a partition; else `whole` is about the request, and so about all
  for (int i = 0; list != nullptr && i < list->cnt; ++i)
    own = own || list->elems[i].err != RD_KAFKA_RESP_ERR_NO_ERROR;
  // One of an earlier try may still be there when the last one was taken.
  own = own && whole != RD_KAFKA_RESP_ERR_NO_ERROR;
  std::unordered_map<TopicPartition, rd_kafka_resp_err_t, HashOf> errors;
  for (int i = 0; list != nullptr && i < list->cnt; ++i) {
    const auto& each = list->elems[i];
    errors[{each.topic, each.partition}] = own ? each.err : whole;
  }
  return errors;
}

}  // namespace

CommitRequests::CommitRequests(ConsumerClient& client, const HeldPartitions& held,
                               std::function<void(const TopicPartition&)> on_taken)
    : client_(client), held_(held), on_taken_(std::move(on_taken)) {}

bool CommitRequests::Rejoining() const {
  const GroupRequests& group = client_.handle()->group();
  return group.joining() || group.MayJoin() || client_.Now() < rejoin_until_;
}

void CommitRequests::OnReleased() { rejoin_until_ = client_.Now() + kRejoins; }

std::string CommitRequests::Tag(const TopicIdentity& identity, const std::string& metadata) const {
  return tags_ ? Tagged(identity, metadata) : metadata;
}

void CommitRequests::Commit(std::vector<Consumer::Offset> offsets, Consumer::OnCommitted on_done) {
  waiting_.push_back(
      {std::move(offsets), std::move(on_done), client_.Now() + kLongestRejoin, false});
  SendAll();
}

void CommitRequests::CommitBeginning(const std::vector<StartingPoint>& points,
                                     base::TimePoint until, Consumer::OnCommitted on_done) {
  Request request{{}, std::move(on_done), until, true};
  for (const StartingPoint& point : points)
    request.offsets.push_back({point.at, 0, point.offset, Tag(point.identity, {})});
  waiting_.push_back(std::move(request));
  SendAll();
}

void CommitRequests::SendAll() {
  while (!waiting_.empty()) {
    const bool rejoining = Rejoining();
    if (rejoining && client_.Now() < waiting_.front().until) {
      if (!again_.armed()) again_ = client_.loop().After(kLookAgain, [this] { SendAll(); });
      return;
    }
    Request next = std::move(waiting_.front());
    waiting_.pop_front();
    if (rejoining) {
      Refuse(std::move(next), CommitRefusal::kPassing, "the group is joined again and again");
    } else {
      Send(std::move(next));
    }
  }
}

void CommitRequests::Send(Request request) {
  const PartitionList list(
      rd_kafka_topic_partition_list_new(static_cast<int>(request.offsets.size())));
  for (const Consumer::Offset& offset : request.offsets) {
    const HeldPartition* held = held_.Find(offset.at, offset.epoch);
    if (!held && !request.beginning) continue;
    rd_kafka_topic_partition_t* at =
        rd_kafka_topic_partition_list_add(list.get(), offset.at.topic.c_str(), offset.at.partition);
    at->offset = offset.next;
    SetMetadata(*at, held ? Tag(held->identity, offset.metadata) : offset.metadata);
  }
  if (list->cnt == 0) return Refuse(std::move(request), CommitRefusal::kNotMember, kNotOurs);
  const uint64_t id = ++last_id_;
  const rd_kafka_resp_err_t error = rd_kafka_commit_queue(
      client_.rk(), list.get(), client_.handle()->queue(), nullptr, reinterpret_cast<void*>(id));
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
    sent_.emplace(id, std::move(request));
  } else {
    Refuse(std::move(request), RefusalOf(error), rd_kafka_err2str(error));
  }
}

void CommitRequests::OnEvent(rd_kafka_event_t& event) {
  const auto sent = sent_.extract(reinterpret_cast<uint64_t>(rd_kafka_event_opaque(&event)));
  if (sent.empty()) return;
  const Request& request = sent.mapped();
  const auto errors = ErrorsOf(event);
  std::vector<CommitResult> results;
  for (const Consumer::Offset& offset : request.offsets) {
    const auto error = errors.find(offset.at);
    results.push_back(error == errors.end() ? CommitResult{offset.at, offset.epoch,
                                                           CommitRefusal::kNotMember, kNotOurs}
                                            : ResultOf(request, offset, error->second));
    if (results.back().taken()) on_taken_(offset.at);
  }
  request.on_done(results);
}

CommitResult CommitRequests::ResultOf(const Request& request, const Consumer::Offset& offset,
                                      rd_kafka_resp_err_t error) {
  CommitResult result{offset.at, offset.epoch, RefusalOf(error), {}};
  if (!result.taken()) result.why = rd_kafka_err2str(error);
  // The tag is all that could be left out.
  if (result.refusal == CommitRefusal::kMetadataTooLarge &&
      (request.beginning || offset.metadata.empty()))
    tags_ = false;
  return result;
}

void CommitRequests::Refuse(Request request, CommitRefusal refusal, const std::string& why) {
  std::vector<CommitResult> results;
  for (const Consumer::Offset& offset : request.offsets)
    results.push_back({offset.at, offset.epoch, refusal, why});
  client_.Post(
      [on_done = std::move(request.on_done), results = std::move(results)] { on_done(results); });
}

void CommitRequests::RefuseAll(const std::string& why) {
  for (auto& [id, request] : std::exchange(sent_, {}))
    Refuse(std::move(request), CommitRefusal::kNotMember, why);
  for (auto& request : std::exchange(waiting_, {}))
    Refuse(std::move(request), CommitRefusal::kNotMember, why);
}

}  // namespace outrigger::kafka
