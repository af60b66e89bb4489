#include "kafka/topic_limits.h"

#include <algorithm>

#include "kafka/error_table.h"

namespace outrigger::kafka {
namespace {

// What a record takes in a batch beyond key, value and headers: varints of lengths, offset and
// time, and the batch's head.
constexpr size_t kRecordOverhead = 100;
constexpr size_t kHeaderOverhead = 10;
constexpr size_t kSmallestLimit = 1024;

// Before a topic's config is known, records go one by one for so long at most.
constexpr auto kConfigWait = std::chrono::seconds(1);

size_t Overhead(size_t headers) { return kRecordOverhead + kHeaderOverhead * headers; }

}  // namespace

size_t BatchBytes(const event::Record& record) {
  return record.bytes() + Overhead(record.headers.size());
}

void TopicLimits::OnConfig(const TopicConfig& config) {
  answered_ = true;
  compacted_ = config.compacted;
  if (!config.max_message_bytes) return;  // what was assumed or learned is kept
  bytes_ = *config.max_message_bytes;
  told_ = true;
}

void TopicLimits::OnTooLarge(size_t bytes, size_t records) {
  bytes_ = std::max(std::min(bytes_, bytes / (records > 1 ? 2 : 1)), kSmallestLimit);
}

std::optional<Refusal> TopicLimits::Unfit(const Entry& entry, const std::string& topic,
                                          bool compressing) const {
  // Only what can't fit even without its overhead; compression could still make it fit.
  const size_t size = entry.bytes - Overhead(entry.headers.count());
  if (told_ && !compressing && size - topic.size() > bytes_) {
    Refusal refusal = ToRefusal(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, topic);
    refusal.error.message = "the event has " + std::to_string(size) + " bytes, and topic " + topic +
                            " takes " + std::to_string(bytes_) + " (max.message.bytes)";
    return refusal;
  }
  if (compacted_ && !entry.record.key) return ToRefusal(RD_KAFKA_RESP_ERR_INVALID_RECORD, topic);
  return std::nullopt;
}

BatchLimits TopicLimits::ForBatch(base::TimePoint now) const {
  BatchLimits limits;
  limits.bytes = std::min(limits.bytes, bytes_);
  // What the topic refuses is known in a moment, and costs less unasked.
  if (!answered_ && now - asked_ < kConfigWait) limits.records = 1;
  return limits;
}

}  // namespace outrigger::kafka
