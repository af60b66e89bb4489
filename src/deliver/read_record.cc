#include "deliver/read_record.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/ascii.h"
#include "base/clock.h"
#include "base/json_text.h"
#include "event/attributes.h"
#include "event/base64.h"
#include "event/cloudevents.h"
#include "event/json_grammar.h"
#include "event/json_scan.h"

namespace outrigger::deliver {
namespace {

using event::Event;
using event::JsonReader;
using event::JsonValue;
using kafka::Consumed;

constexpr std::string_view kAttributePrefix = "ce_";

// Producers disagree about the case of this one, as it is HTTP's.
bool IsContentType(std::string_view name) { return base::LowerAscii(name) == "content-type"; }

// The one that counts, everywhere: the last, as in Java's Headers.lastHeader.
std::string_view ContentType(const Consumed& record) {
  std::string_view content_type;
  for (const auto& header : record.headers)
    if (IsContentType(header.name) && header.value) content_type = *header.value;
  return content_type;
}

bool IsBinary(const Consumed& record) {
  static constexpr std::array<std::string_view, 4> kMarks{"ce_specversion", "ce_id", "ce_source",
                                                          "ce_type"};
  return std::any_of(record.headers.begin(), record.headers.end(), [](const auto& header) {
    return header.value && std::find(kMarks.begin(), kMarks.end(), header.name) != kMarks.end();
  });
}

// Takes what is legal as an attribute; false: it is none.
bool TakeAttribute(std::string_view name, std::string_view value, Event& event) {
  if (!event::IsAttributeName(name) || name == "data" ||
      base::FindBadUtf8(value) != std::string_view::npos)
    return false;
  if (name == "specversion") return value == "1.0";
  if (name == "time" && !event::IsRfc3339(value)) return false;
  // content-type says what the data is; that one wins.
  if (name == "datacontenttype" && !event.datacontenttype.empty()) return true;
  std::erase_if(event.extensions, [&](const auto& extension) { return extension.first == name; });
  event::SetAttribute(event, name, std::string(value));
  return true;
}

// Attributes from ce_* headers; the others stay headers.
void TakeHeaders(const Consumed& record, Event& event) {
  for (const auto& header : record.headers) {
    if (IsContentType(header.name)) continue;
    if (header.name.starts_with(kAttributePrefix)) {
      if (!header.value || header.value->empty()) continue;  // absent, as null is in JSON
      const std::string_view name = std::string_view(header.name).substr(kAttributePrefix.size());
      if (TakeAttribute(name, *header.value, event)) continue;
    }
    event.headers.push_back(header);
  }
}

// What every event has, where the record does not say.
void Complete(const Consumed& record, Event& event) {
  if (event.id.empty())
    event.id =
        record.topic + "/" + std::to_string(record.partition) + "/" + std::to_string(record.offset);
  if (event.source.empty()) event.source = record.topic;
  if (event.type.empty()) event.type = record.topic;
}

// Looks whether data that says that it is JSON can be read as such.
void JudgeData(JsonReader& json, ReadEvent& read) {
  Event& event = read.event;
  if (!event.data || event.data->empty() || !event::IsJson(event.datacontenttype)) return;
  const std::string_view text = event::SkipMark(*event.data);
  event.data_is_json = json.Check(text).has_value() || event::IsJsonText(text);
  if (!event.data_is_json) {
    read.broken_data = "the value says that it is JSON, and is not";
  } else if (text.size() < event.data->size()) {
    event.data = std::string(text);  // the mark is no part of JSON
  }
}

ReadEvent ReadBinary(JsonReader& json, const Consumed& record) {
  ReadEvent read;
  read.event.datacontenttype = ContentType(record);
  TakeHeaders(record, read.event);
  Complete(record, read.event);
  read.event.data = record.value;
  JudgeData(json, read);
  return read;
}

// ---- structured

// The attributes among the members of the object `text`, up to where it breaks, if it does.
void TakeMembers(std::string_view text, Event& event) {
  event::ForEachMember(text, [&](std::string_view raw_name, std::string_view raw) {
    if (!event::IsJsonText(raw)) return false;
    const std::string name = event::Unescape(raw_name);
    const JsonValue value = JsonReader::Value(raw);
    // Objects, arrays and null have no text.
    if (name == "data" || name == "data_base64" || value.text.empty()) return true;
    if (name == "datacontenttype") event.datacontenttype.clear();  // the last one counts
    std::erase(event.literals, name);
    if (!TakeAttribute(name, value.text, event)) {
      event.headers.push_back({std::string(kAttributePrefix) + name, value.text});
    } else if (value.kind != JsonValue::Kind::kString) {
      event.literals.push_back(name);
    }
    return true;
  });
}

void TakeStructuredData(std::string_view text, Event& event) {
  static const std::array<event::JsonPath, 2> kNames{event::JsonPath{"data"}, {"data_base64"}};
  std::string_view data;
  std::optional<std::string> bytes;
  event::ForEachMember(text, [&](std::string_view name, std::string_view raw) {
    if (event::NameIs(name, "data")) data = raw;
    if (event::NameIs(name, "data_base64"))
      bytes = event::DecodeBase64(JsonReader::Value(raw).text);
    return true;
  });
  if (data.empty() || (data == "null" && bytes)) {
    event.data = std::move(bytes);
    return;
  }
  if (event.datacontenttype.empty()) event.datacontenttype = "application/json";
  event.data_is_text = !event::IsJson(event.datacontenttype) && data.front() == '"';
  event.data = event.data_is_text ? JsonReader::Value(data).text : std::string(data);
}

// What event::FromStructured, which is as strict as publishing is, does not take.
ReadEvent ReadLeniently(JsonReader& json, const Consumed& record) {
  ReadEvent read;
  const std::string_view text = event::TrimJson(*record.value);
  if (!text.starts_with('{') || !event::IsJsonText(text)) {
    TakeHeaders(record, read.event);
    TakeMembers(text, read.event);
    read.undecodable = "the value says that it is a CloudEvent in JSON, and is no JSON object";
    return read;
  }
  TakeMembers(text, read.event);
  Complete(record, read.event);
  TakeStructuredData(text, read.event);
  JudgeData(json, read);
  return read;
}

ReadEvent ReadStructured(JsonReader& json, const Consumed& record) {
  ReadEvent read;
  auto strict = event::FromStructured(json, *record.value);
  if (strict && event::CheckAttributes(*strict)) {
    read.event = std::move(*strict);
  } else {
    read = ReadLeniently(json, record);
    if (!read.undecodable.empty()) return read;
  }
  for (const auto& header : record.headers)
    if (!IsContentType(header.name)) read.event.headers.push_back(header);
  return read;
}

// ---- plain

// The attributes of a record that has none.
Event PlainEvent(const Consumed& record) {
  Event event;
  Complete(record, event);
  event.time = base::Rfc3339OfMillis(record.timestamp_ms);
  event.datacontenttype = ContentType(record);
  event.data = record.value;
  for (const auto& header : record.headers)
    if (!IsContentType(header.name)) event.headers.push_back(header);
  return event;
}

ReadEvent ReadPlain(JsonReader& json, const Consumed& record) {
  ReadEvent read{PlainEvent(record)};
  Event& event = read.event;
  if (!event.data || event.data->empty()) return read;
  const bool implied = event.datacontenttype.empty();
  if (implied) event.datacontenttype = "application/json";
  JudgeData(json, read);
  if (event.data_is_json && event.data->find('{') != std::string::npos) {
    static const std::array<event::JsonPath, 1> kType{event::JsonPath{"type"}};
    auto type = JsonReader::Read(*event.data, kType, JsonReader::Repeats::kLast);
    if (type && type->front().kind == JsonValue::Kind::kString && !type->front().text.empty())
      event.type = std::move(type->front().text);
  }
  if (read.broken_data.empty()) return read;
  read.undecodable = implied ? "neither a CloudEvent nor JSON, and no content-type says what it is"
                             : read.broken_data;
  Event readable;
  TakeMembers(event::TrimJson(*event.data), readable);
  event.type = std::move(readable.type);
  return read;
}

}  // namespace

ReadEvent ReadRecord(JsonReader& json, const Consumed& record) {
  const std::string media_type = event::MediaType(ContentType(record));
  ReadEvent read;
  if (media_type.starts_with("application/cloudevents") && record.value) {
    if (media_type == "application/cloudevents+json") {
      read = ReadStructured(json, record);
    } else {
      TakeHeaders(record, read.event);
      read.undecodable = "the event format " + media_type + " is not known here";
    }
  } else {
    read = IsBinary(record) ? ReadBinary(json, record) : ReadPlain(json, record);
  }
  if (!record.value && media_type.starts_with("application/cloudevents"))
    read.event.datacontenttype.clear();  // there is no event in it
  read.event.key = record.key;
  return read;
}

Event RawEvent(const Consumed& record) {
  Event event = PlainEvent(record);
  event.key = record.key;
  return event;
}

}  // namespace outrigger::deliver
