#include "kafka/record_batch.h"

#include <optional>
#include <string>
#include <utility>

namespace outrigger::kafka {
namespace {

// Whoever holds enough then says so (Consumer::SetPolling).
constexpr size_t kMostRecords = 1000;
// What a record takes beside its own bytes while it is passed on.
constexpr size_t kRecordMemory = 512;

std::optional<std::string> Bytes(const void* bytes, size_t size) {
  if (bytes == nullptr) return std::nullopt;
  return std::string(static_cast<const char*>(bytes), size);
}

std::vector<event::Header> HeadersOf(const rd_kafka_message_t& message) {
  std::vector<event::Header> headers;
  rd_kafka_headers_t* list = nullptr;
  if (rd_kafka_message_headers(&message, &list) != RD_KAFKA_RESP_ERR_NO_ERROR) return headers;
  headers.reserve(rd_kafka_header_cnt(list));
  const char* name = nullptr;
  const void* value = nullptr;
  size_t size = 0;
  for (size_t i = 0;
       rd_kafka_header_get_all(list, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i)
    headers.push_back({name, Bytes(value, size)});
  return headers;
}

int64_t TimestampOf(const rd_kafka_message_t& message) {
  rd_kafka_timestamp_type_t type;
  const int64_t timestamp = rd_kafka_message_timestamp(&message, &type);
  return type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? -1 : timestamp;
}

}  // namespace

void RecordBatch::Add(const rd_kafka_message_t& message, TopicPartition at, uint64_t epoch) {
  Consumed& record = records_.emplace_back();
  record.topic = std::move(at.topic);
  record.partition = at.partition;
  record.offset = message.offset;
  record.epoch = epoch;
  record.timestamp_ms = TimestampOf(message);
  record.key = Bytes(message.key, message.key_len);
  record.value = Bytes(message.payload, message.len);
  record.headers = HeadersOf(message);
  bytes_ += kRecordMemory + record.bytes();
}

std::vector<Consumed> RecordBatch::Take() {
  if (!records_.empty()) usual_bytes_ = bytes_ / records_.size();
  bytes_ = 0;
  return std::exchange(records_, {});
}

bool RecordBatch::full() const { return records_.size() >= kMostRecords || bytes_ >= most_bytes_; }

}  // namespace outrigger::kafka
