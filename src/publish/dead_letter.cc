#include "publish/dead_letter.h"

#include <utility>

#include "base/json_text.h"

namespace outrigger::publish {

event::Record DeadLetter(event::Record record, std::string dead_letter_topic, std::string reason,
                         std::string detail, int status, base::WallTime now) {
  constexpr size_t kMaxDetail = 1024;
  detail = base::Utf8Prefix(detail, kMaxDetail);
  const std::string time = base::Rfc3339(now);
  auto& headers = record.headers;
  headers.push_back({"outrigger-error-reason", std::move(reason)});
  headers.push_back({"outrigger-error-status", std::to_string(status)});
  headers.push_back({"outrigger-error-body", std::move(detail)});
  headers.push_back({"outrigger-error-attempts", "1"});
  headers.push_back({"outrigger-error-first-time", time});
  headers.push_back({"outrigger-error-last-time", time});
  headers.push_back({"outrigger-error-topic", record.topic});
  headers.push_back({"outrigger-error-generation", "1"});
  record.topic = std::move(dead_letter_topic);
  record.partition = -1;
  record.timestamp_ms = 0;  // an old one would let retention take the record at once
  return record;
}

}  // namespace outrigger::publish
