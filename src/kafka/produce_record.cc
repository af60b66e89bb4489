#include "kafka/produce_record.h"

#include <optional>
#include <string_view>

namespace outrigger::kafka {

rd_kafka_resp_err_t GiveToClient(Handle& handle, Entry& entry) {
  const event::Record& record = entry.record;
  Owned<rd_kafka_headers_t> headers(rd_kafka_headers_new(entry.headers.count()));
  entry.headers.Each([&headers](std::string_view name, std::optional<std::string_view> value) {
    rd_kafka_header_add(headers.get(), name.data(), static_cast<ssize_t>(name.size()),
                        value ? value->data() : nullptr,
                        value ? static_cast<ssize_t>(value->size()) : 0);
  });
  rd_kafka_vu_t fields[8];
  fields[0].vtype = RD_KAFKA_VTYPE_RKT;
  fields[0].u.rkt = handle.Topic(record.topic);
  fields[1].vtype = RD_KAFKA_VTYPE_PARTITION;
  fields[1].u.i32 = entry.queue->partition;
  fields[2].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
  // A copy: after a fatal error the old handle may still hold what the new one is sent.
  fields[2].u.i = RD_KAFKA_MSG_F_COPY;
  fields[3].vtype = RD_KAFKA_VTYPE_VALUE;
  fields[3].u.mem.ptr = record.value ? const_cast<char*>(record.value->data()) : nullptr;
  fields[3].u.mem.size = record.value ? record.value->size() : 0;
  fields[4].vtype = RD_KAFKA_VTYPE_KEY;
  fields[4].u.mem.ptr = record.key ? const_cast<char*>(record.key->data()) : nullptr;
  fields[4].u.mem.size = record.key ? record.key->size() : 0;
  fields[5].vtype = RD_KAFKA_VTYPE_OPAQUE;
  fields[5].u.ptr = Handle::Tag(&entry, entry.queue->batch.size() > 1);
  fields[6].vtype = RD_KAFKA_VTYPE_HEADERS;
  fields[6].u.headers = headers.get();
  fields[7].vtype = RD_KAFKA_VTYPE_TIMESTAMP;
  fields[7].u.i64 = record.timestamp_ms;  // 0: now
  rd_kafka_error_t* error = rd_kafka_produceva(handle.rk(), fields, 8);
  if (!error) {
    static_cast<void>(headers.release());  // librdkafka owns them now
    return RD_KAFKA_RESP_ERR_NO_ERROR;
  }
  const rd_kafka_resp_err_t code = rd_kafka_error_code(error);
  rd_kafka_error_destroy(error);
  return handle.fatal() ? RD_KAFKA_RESP_ERR__FATAL : code;
}

}  // namespace outrigger::kafka
