#include "kafka/starting_points.h"

#include <algorithm>

#include "kafka/cluster_questions.h"

namespace outrigger::kafka {
namespace {

constexpr int kTimeoutMs = 1000;

using At = config::StartFrom::At;

base::Failure Failed(const std::string& what, rd_kafka_resp_err_t error) {
  return base::Fail({base::Code::kUnavailable, what + ": " + rd_kafka_err2str(error), {}, true});
}

bool IsMissing(rd_kafka_resp_err_t error) {
  return error == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION ||
         error == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC ||
         error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
}

// The first offset at or after `time`; RD_KAFKA_OFFSET_END when there is none.
base::Result<int64_t> OffsetOfTime(rd_kafka_t* rk, const TopicPartition& at, base::WallTime time) {
  const PartitionList list = ToList({at});
  list->elems[0].offset =
      std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
  rd_kafka_resp_err_t error = rd_kafka_offsets_for_times(rk, list.get(), kTimeoutMs);
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) error = list->elems[0].err;
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
    return Failed("the offset of a time in " + at.text() + " is not known", error);
  return list->elems[0].offset;
}

rd_kafka_resp_err_t AskRange(rd_kafka_t* rk, const TopicPartition& at, Range& range) {
  return rd_kafka_query_watermark_offsets(rk, at.topic.c_str(), at.partition, &range.low,
                                          &range.high, kTimeoutMs);
}

base::Result<std::vector<StartingPoint>> FindCommitted(rd_kafka_t* rk,
                                                       const std::vector<TopicPartition>& at) {
  const PartitionList list = ToList(at);
  const rd_kafka_resp_err_t error = rd_kafka_committed(rk, list.get(), kTimeoutMs);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return Failed("committed offsets are not known", error);
  std::vector<StartingPoint> points;
  for (int i = 0; i < list->cnt; ++i) {
    const rd_kafka_topic_partition_t& each = list->elems[i];
    StartingPoint& point = points.emplace_back();
    point.at = {each.topic, each.partition};
    if (each.err != RD_KAFKA_RESP_ERR_NO_ERROR && !IsMissing(each.err))
      return Failed("the committed offset of " + point.at.text() + " is not known", each.err);
    if (each.metadata_size > 0)
      point.metadata.assign(static_cast<const char*>(each.metadata), each.metadata_size);
    point.offset = each.offset;
    point.committed = each.offset >= 0;
    point.leader_epoch = rd_kafka_topic_partition_get_leader_epoch(&each);
  }
  return points;
}

std::vector<std::string> TopicsOf(const std::vector<TopicPartition>& at) {
  std::set<std::string> topics;
  for (const auto& each : at) topics.insert(each.topic);
  return {topics.begin(), topics.end()};
}

bool IsCommitted(const StartingPoint& point) { return point.committed; }

// Tells of which topic each commit is. One of a topic that is gone is no position in the new one.
void CompareTopics(rd_kafka_t* rk, std::vector<StartingPoint>& points) {
  std::vector<TopicPartition> at;
  at.reserve(points.size());
  for (const auto& point : points) at.push_back(point.at);
  const auto identities = Identify(rk, TopicsOf(at)).known;
  for (StartingPoint& point : points) {
    if (const auto now = identities.find(point.at.topic); now != identities.end())
      point.identity = now->second;
    auto [was, metadata] = Untagged(point.metadata);
    point.metadata = std::move(metadata);
    if (!Differs(was, point.identity)) continue;
    point.passed_over = point.offset;
    point.committed = false;
    point.leader_epoch = -1;
    point.metadata.clear();
  }
}

}  // namespace

void GroupStart::Look(rd_kafka_t* rk) {
  if (seen_first_ || start_.at == At::kEarliest) return;
  const auto all = FindSubscribed(rk, topics_);
  if (!all) return;
  seen_first_.emplace(all->begin(), all->end());
  seen_topics_ = Identify(rk, TopicsOf(*all)).known;
}

base::Result<int64_t> GroupStart::FindStart(rd_kafka_t* rk, const TopicPartition& at) const {
  Range range;
  const rd_kafka_resp_err_t asked = AskRange(rk, at, range);
  if (asked != RD_KAFKA_RESP_ERR_NO_ERROR)
    return Failed("the offsets of " + at.text() + " are not known", asked);
  if (start_.at == At::kLatest) return range.high;
  const auto offset = OffsetOfTime(rk, at, start_.time);
  if (!offset) return base::Fail(offset.error());
  return *offset < 0 ? range.high : *offset;
}

// The partitions that a new group begins in; none when it is not new.
base::Result<std::vector<TopicPartition>> GroupStart::FindBeginning(rd_kafka_t* rk) {
  const auto all = FindSubscribed(rk, topics_);
  if (!all) return Failed("the topics are not known", RD_KAFKA_RESP_ERR__TIMED_OUT);
  std::vector<TopicPartition> begin;
  const auto identities = Identify(rk, TopicsOf(*all)).known;
  for (const auto& each : *all) {
    const auto now = identities.find(each.topic);
    const auto seen = seen_topics_.find(each.topic);
    const bool another =
        now != identities.end() && seen != seen_topics_.end() && Differs(now->second, seen->second);
    if (seen_first_->contains(each) && !another) begin.push_back(each);
  }
  if (begin.empty()) return begin;
  auto commits = FindCommitted(rk, *all);
  if (!commits) return base::Fail(commits.error());
  old_ = std::any_of(commits->begin(), commits->end(), IsCommitted);
  if (old_) begin.clear();
  return begin;
}

// Where the group is new: chooses where it begins, for those of other members too.
base::Result<void> GroupStart::Begin(rd_kafka_t* rk, StartingPoints& found, bool waited) {
  auto beginning = FindBeginning(rk);
  if (!beginning) return base::Fail(beginning.error());
  std::vector<TopicPartition>& begin = *beginning;
  if (begin.empty()) return {};
  std::set<TopicPartition> ours;
  for (const auto& point : found.points) ours.insert(point.at);
  if (!ours.contains(begin.front())) {
    if (!waited)
      return base::Fail(
          {base::Code::kUnavailable, "where the group begins is not known yet", kMustWait, true});
    std::erase_if(begin, [&ours](const TopicPartition& each) { return !ours.contains(each); });
  }
  const auto identities = Identify(rk, TopicsOf(begin)).known;
  for (const TopicPartition& each : begin) {
    const auto offset = FindStart(rk, each);
    if (!offset) return base::Fail(offset.error());
    StartingPoint& first = found.first_commit.emplace_back();
    first.at = each;
    first.offset = *offset;
    first.committed = true;  // before anything begins
    if (const auto now = identities.find(each.topic); now != identities.end())
      first.identity = now->second;
    for (StartingPoint& point : found.points)
      if (point.at == each) point = first;
  }
  return {};
}

base::Result<StartingPoints> GroupStart::Find(rd_kafka_t* rk, const std::vector<TopicPartition>& at,
                                              bool waited) {
  Look(rk);
  auto committed = FindCommitted(rk, at);
  if (!committed) return base::Fail(committed.error());
  StartingPoints found{std::move(*committed), {}};
  CompareTopics(rk, found.points);
  const auto is_old = [](const StartingPoint& point) {
    return point.committed || point.passed_over >= 0;
  };
  old_ = old_ || std::any_of(found.points.begin(), found.points.end(), is_old);
  if (!old_ && start_.at != At::kEarliest) {
    if (!seen_first_) return Failed("the topics are not known", RD_KAFKA_RESP_ERR__TIMED_OUT);
    if (auto begun = Begin(rk, found, waited); !begun) return base::Fail(begun.error());
  }
  for (StartingPoint& point : found.points) {
    if (point.committed) continue;
    Range range;
    const rd_kafka_resp_err_t asked = AskRange(rk, point.at, range);
    if (asked != RD_KAFKA_RESP_ERR_NO_ERROR && !IsMissing(asked))
      return Failed("the offsets of " + point.at.text() + " are not known", asked);
    point.offset = IsMissing(asked) ? RD_KAFKA_OFFSET_BEGINNING : range.low;
  }
  return found;
}

base::Result<Range> FindRange(rd_kafka_t* rk, const TopicPartition& at) {
  Range range;
  const rd_kafka_resp_err_t error = AskRange(rk, at, range);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
    return Failed("the offsets of " + at.text() + " are not known", error);
  const auto identities = Identify(rk, {at.topic}).known;
  if (const auto now = identities.find(at.topic); now != identities.end())
    range.identity = now->second;
  return range;
}

}  // namespace outrigger::kafka
