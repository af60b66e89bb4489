#include "kafka/starting_points.h"

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

base::Result<int64_t> FindStart(rd_kafka_t* rk, const TopicPartition& at,
                                const config::StartFrom& start, const Range& range) {
  if (start.at == At::kLatest) return range.high;
  if (start.at == At::kEarliest) return range.low;
  const auto offset = OffsetOfTime(rk, at, start.time);
  if (!offset) return base::Fail(offset.error());
  return *offset < 0 ? range.high : *offset;
}

rd_kafka_resp_err_t AskRange(rd_kafka_t* rk, const TopicPartition& at, Range& range) {
  return rd_kafka_query_watermark_offsets(rk, at.topic.c_str(), at.partition, &range.low,
                                          &range.high, kTimeoutMs);
}

}  // namespace

base::Result<std::vector<StartingPoint>> FindStartingPoints(rd_kafka_t* rk,
                                                            const std::vector<TopicPartition>& at,
                                                            const config::StartFrom& start) {
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
    if (point.committed) continue;
    Range range;
    const rd_kafka_resp_err_t asked = AskRange(rk, point.at, range);
    if (IsMissing(asked)) {
      point.offset = start.at == At::kLatest ? RD_KAFKA_OFFSET_END : RD_KAFKA_OFFSET_BEGINNING;
      continue;
    }
    if (asked != RD_KAFKA_RESP_ERR_NO_ERROR)
      return Failed("the offsets of " + point.at.text() + " are not known", asked);
    const auto found = FindStart(rk, point.at, start, range);
    if (!found) return base::Fail(found.error());
    point.offset = *found;
  }
  return points;
}

base::Result<Range> FindReset(rd_kafka_t* rk, const TopicPartition& at, int64_t from,
                              const config::StartFrom& start) {
  Range range;
  const rd_kafka_resp_err_t error = AskRange(rk, at, range);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
    return Failed("the offsets of " + at.text() + " are not known", error);
  range.to = range.low;
  if (from < range.low) return range;
  const auto found = FindStart(rk, at, start, range);
  if (!found) return base::Fail(found.error());
  range.to = *found;
  return range;
}

}  // namespace outrigger::kafka
