#include "deliver/read_record.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "base/ascii.h"
#include "base/clock.h"
#include "event/attributes.h"
#include "event/cloudevents.h"

namespace outrigger::deliver {
namespace {

using event::Event;
using kafka::Consumed;

constexpr std::string_view kAttributePrefix = "ce_";

base::Failure Wrong(std::string message) {
  return base::Fail(base::Error::Invalid(std::move(message)));
}

// Producers disagree about the case of this one, as it is HTTP's.
bool IsContentType(std::string_view name) { return base::LowerAscii(name) == "content-type"; }

std::string_view ContentType(const Consumed& record) {
  for (const auto& header : record.headers)
    if (IsContentType(header.name) && header.value) return *header.value;
  return {};
}

bool HasSpecVersion(const Consumed& record) {
  return std::any_of(record.headers.begin(), record.headers.end(), [](const auto& header) {
    return header.name == "ce_specversion" && header.value;
  });
}

void TakeValue(const Consumed& record, Event& event) {
  if (record.value && !record.value->empty()) event.data = record.value;
  event.key = record.key;
}

base::Result<void> CheckData(event::JsonReader& json, Event& event) {
  event.data_is_json = event.data.has_value() && event::IsJson(event.datacontenttype);
  if (!event.data_is_json) return {};
  if (auto valid = json.Check(*event.data); !valid)
    return Wrong("the value says that it is JSON: " + valid.error().message);
  return {};
}

base::Result<Event> ReadStructured(event::JsonReader& json, const Consumed& record) {
  if (!record.value) return Wrong("a structured CloudEvent without a value");
  auto event = event::FromStructured(json, *record.value);
  if (!event) return event;
  event->key = record.key;
  for (const auto& header : record.headers)
    if (!IsContentType(header.name)) event->headers.push_back(header);
  if (auto valid = event::CheckAttributes(*event); !valid) return base::Fail(valid.error());
  return event;
}

base::Result<void> ReadHeader(const event::Header& header, Event& event, std::string& version) {
  if (IsContentType(header.name)) {
    if (header.value) event.datacontenttype = *header.value;
    return {};
  }
  if (!header.name.starts_with(kAttributePrefix)) {
    event.headers.push_back(header);
    return {};
  }
  const std::string name = header.name.substr(kAttributePrefix.size());
  if (!event::IsAttributeName(name) || name == "data" || name == "datacontenttype")
    return Wrong("the header \"" + header.name + "\" is no attribute of a CloudEvent");
  if (!header.value || header.value->empty()) return {};  // absent, as null is in JSON
  if (name == "specversion") {
    version = *header.value;
  } else {
    event::SetAttribute(event, name, *header.value);
  }
  return {};
}

base::Result<Event> ReadBinary(event::JsonReader& json, const Consumed& record) {
  Event event;
  std::string version;
  std::vector<std::string_view> names;
  for (const auto& header : record.headers) {
    if (auto read = ReadHeader(header, event, version); !read) return base::Fail(read.error());
    if (header.name.starts_with(kAttributePrefix)) names.push_back(header.name);
  }
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) return Wrong("the header \"" + std::string(*twice) + "\" stands twice");
  if (version != "1.0")
    return Wrong("ce_specversion is \"" + version + "\", and 1.0 is spoken here");
  TakeValue(record, event);
  if (auto valid = event::CheckAttributes(event); !valid) return base::Fail(valid.error());
  if (auto valid = CheckData(json, event); !valid) return base::Fail(valid.error());
  return event;
}

// The attributes of a record that has none.
Event PlainEvent(const Consumed& record) {
  Event event;
  event.id =
      record.topic + "/" + std::to_string(record.partition) + "/" + std::to_string(record.offset);
  event.source = record.topic;
  event.type = record.topic;
  if (record.timestamp_ms >= 0)
    event.time = base::Rfc3339(base::WallTime(std::chrono::milliseconds(record.timestamp_ms)));
  TakeValue(record, event);
  return event;
}

base::Result<Event> ReadPlain(event::JsonReader& json, const Consumed& record) {
  Event event = PlainEvent(record);
  for (const auto& header : record.headers)
    if (!IsContentType(header.name)) event.headers.push_back(header);
  event.datacontenttype = std::string(ContentType(record));
  if (event.datacontenttype.empty() && event.data) event.datacontenttype = "application/json";
  if (auto valid = CheckData(json, event); !valid) {
    if (ContentType(record).empty())
      return Wrong("neither a CloudEvent nor JSON, and no content-type says what it is");
    return base::Fail(valid.error());
  }
  if (!event.data_is_json || event.data->find('{') == std::string::npos) return event;
  static const std::array<event::JsonPath, 1> kType{event::JsonPath{"type"}};
  auto type = event::JsonReader::Read(*event.data, kType);
  if (!type) return base::Fail(type.error());
  if (type->front().kind == event::JsonValue::Kind::kString && !type->front().text.empty())
    event.type = std::move(type->front().text);
  return event;
}

}  // namespace

base::Result<Event> ReadRecord(event::JsonReader& json, const Consumed& record) {
  const std::string media_type = event::MediaType(ContentType(record));
  if (media_type.starts_with("application/cloudevents")) {
    if (media_type == "application/cloudevents+json") return ReadStructured(json, record);
    return Wrong("the event format " + media_type + " is not spoken here");
  }
  return HasSpecVersion(record) ? ReadBinary(json, record) : ReadPlain(json, record);
}

Event RawEvent(const Consumed& record) {
  Event event = PlainEvent(record);
  event.datacontenttype = std::string(ContentType(record));
  for (const auto& header : record.headers)
    if (!IsContentType(header.name)) event.headers.push_back(header);
  return event;
}

}  // namespace outrigger::deliver
