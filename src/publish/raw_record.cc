#include "publish/raw_record.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "event/cloudevents.h"
#include "publish/prepare.h"

namespace outrigger::publish {
namespace {

base::Failure Wrong(std::string what) { return base::Fail(base::Error::Invalid(std::move(what))); }

base::Result<int32_t> ReadPartition(const std::string& text) {
  int32_t partition = -1;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, partition);
  if (error != std::errc() || stop != end || partition < 0)
    return Wrong("?partition= is a number from 0, not \"" + text + "\"");
  return partition;
}

// Field `name` of the request under its own name, where no kafka-<name> has said it.
void PassThrough(const http::Head& head, const char* name, event::Record& record) {
  const std::string_view value = head.Find(name);
  const bool said = std::any_of(record.headers.begin(), record.headers.end(),
                                [name](const auto& header) { return header.name == name; });
  if (!value.empty() && !said) record.headers.push_back({name, std::string(value)});
}

}  // namespace

base::Result<event::Record> ReadRawRecord(http::Request& request, std::string topic) {
  const http::Head& head = request.head();
  if (const std::string wrong = TopicNameProblem(topic); !wrong.empty())
    return Wrong("\"" + topic + "\": " + wrong);
  event::Record record;
  record.topic = std::move(topic);
  if (const std::string* key = head.Query("key")) record.key = *key;
  if (const std::string* text = head.Query("partition")) {
    auto partition = ReadPartition(*text);
    if (!partition) return base::Fail(partition.error());
    record.partition = *partition;
  }
  for (const auto& field : head.fields) {
    if (!field.name.starts_with("kafka-")) continue;
    const std::string_view name = field.name.substr(6);
    if (event::IsReservedHeader(name) && name != "content-type")
      return Wrong("the header " + std::string(name) +
                   " is not the caller's to set (ce_* and outrigger-* are ours)");
    record.headers.push_back({std::string(name), std::string(field.value)});
  }
  for (const char* name : {"content-type", "traceparent", "tracestate"})
    PassThrough(head, name, record);
  record.value = std::move(request.body());
  return record;
}

}  // namespace outrigger::publish
