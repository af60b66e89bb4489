// Events as JSON: Outrigger's own envelope, structured CloudEvents, batches.
#include <algorithm>
#include <array>

#include "base/json_text.h"
#include "base/nearest.h"
#include "event/attributes.h"
#include "event/base64.h"
#include "event/cloudevents.h"
#include "event/data.h"
#include "event/json_scan.h"

namespace outrigger::event {
namespace {

using Kind = JsonValue::Kind;

base::Failure Wrong(std::string message, std::string hint = {}) {
  return base::Fail(base::Error::Invalid(std::move(message), std::move(hint)));
}

// A non-empty string member. null counts as absent and gives "".
base::Result<std::string> Text(const JsonReader::Member& member) {
  JsonValue value = JsonReader::Value(member.raw);
  if (value.kind == Kind::kNull) return std::string();
  if (value.kind != Kind::kString || value.text.empty())
    return Wrong("\"" + base::Excerpt(member.name) + "\" must be a string that is not empty");
  return std::move(value.text);
}

base::Result<void> ReadHeaders(std::string_view raw, Event& event) {
  if (raw == "null") return {};
  if (raw.front() != '{') return Wrong("\"headers\" must be an object of strings");
  base::Result<void> result;
  ForEachMember(raw, [&](std::string_view name, std::string_view value_raw) {
    Header header{Unescape(name), std::nullopt};
    JsonValue value = JsonReader::Value(value_raw);
    if (header.name.empty() || (value.kind != Kind::kString && value.kind != Kind::kNull)) {
      result = Wrong("\"headers\" holds names with strings (or null)");
    } else if (IsReservedHeader(header.name)) {
      result = Wrong("the header \"" + base::Excerpt(header.name) + "\" can't be set by the caller",
                     "ce_*, outrigger-* and content-type are written by Outrigger");
    }
    if (value.kind == Kind::kString) header.value = std::move(value.text);
    event.headers.push_back(std::move(header));
    return result.has_value();
  });
  if (!result) return result;
  std::vector<std::string_view> names;
  for (const auto& header : event.headers) names.push_back(header.name);
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end())
    return Wrong("the header \"" + base::Excerpt(*twice) + "\" appears twice");
  return {};
}

base::Result<void> ReadEnvelopeMember(const JsonReader::Member& member, Event& event) {
  if (member.name == "data") {
    event.data = std::string(member.raw);
    return {};
  }
  if (member.name == "headers") return ReadHeaders(member.raw, event);
  if (member.name == "key" || member.name == "version") {
    // A number or boolean is its raw token: 42 is the key "42".
    JsonValue value = JsonReader::Value(member.raw);
    if (value.kind == Kind::kObject || value.kind == Kind::kArray)
      return Wrong("\"" + base::Excerpt(member.name) +
                   "\" must be a string, a number or a boolean");
    if (value.kind == Kind::kNull) return {};
    if (member.name == "key") {
      event.key = std::move(value.text);
    } else {
      event.version = std::move(value.text);
    }
    return {};
  }
  static constexpr std::array<std::string_view, 5> kTexts{"type", "id", "source", "subject",
                                                          "time"};
  if (std::find(kTexts.begin(), kTexts.end(), member.name) == kTexts.end()) {
    static const std::vector<std::string> kKnown{"type",    "data", "id",  "version", "source",
                                                 "subject", "time", "key", "headers"};
    const std::string nearest = base::Nearest(member.name, kKnown);
    return Wrong("\"" + base::Excerpt(member.name) + "\" is not a member of an event" +
                 (nearest.empty()
                      ? "; known are type, data, id, version, source, subject, time, key, headers"
                      : "; did you mean \"" + nearest + "\"?"));
  }
  auto text = Text(member);
  if (!text) return base::Fail(text.error());
  SetAttribute(event, member.name, std::move(*text));
  return {};
}

base::Result<void> ReadAttribute(const JsonReader::Member& member, Event& event,
                                 std::string& specversion) {
  if (!IsAttributeName(member.name))
    return Wrong("the attribute name \"" + base::Excerpt(member.name) +
                 "\" has more than lower-case letters and digits");
  JsonValue value = JsonReader::Value(member.raw);
  if (value.kind == Kind::kNull) return {};  // absent
  if (value.kind == Kind::kObject || value.kind == Kind::kArray)
    return Wrong("the attribute \"" + base::Excerpt(member.name) +
                 "\" must be a string, a number or a boolean");
  if (member.name == "specversion") {
    if (value.kind != Kind::kString) return Wrong("\"specversion\" is a string: \"1.0\"");
    specversion = std::move(value.text);
    return {};
  }
  if (value.kind != Kind::kString) event.literals.push_back(member.name);
  const bool empty = value.text.empty();
  const bool known = SetAttribute(event, member.name, std::move(value.text));
  if (known && empty) return Wrong("the attribute \"" + base::Excerpt(member.name) + "\" is empty");
  return {};
}

// json-format, section 3.1.2. Some serializers write null for members that they do not use.
base::Result<void> ReadData(JsonReader& json, std::string_view data, std::string_view base64,
                            Event& event) {
  const bool encoded = !base64.empty() && base64 != "null";
  if (encoded && !data.empty() && data != "null")
    return Wrong("\"data\" and \"data_base64\" exclude each other");
  if (encoded) {
    const JsonValue value = JsonReader::Value(base64);
    event.data = value.kind == Kind::kString ? DecodeBase64(value.text) : std::nullopt;
    if (!event.data) return Wrong("\"data_base64\" is not Base64");
    event.data_is_json = IsJson(event.datacontenttype);
    return event.data_is_json ? CheckJson(json, event) : base::Result<void>();
  }
  if (data.empty()) return {};
  if (event.datacontenttype.empty()) event.datacontenttype = "application/json";
  event.data_is_json = IsJson(event.datacontenttype);
  event.data_is_text = !event.data_is_json && data.front() == '"';
  event.data = event.data_is_text ? Unescape(data.substr(1, data.size() - 2)) : std::string(data);
  return {};
}

}  // namespace

base::Result<Event> FromEnvelope(JsonReader& json, std::string_view body) {
  auto members = json.Members(body);
  if (!members) return base::Fail(members.error());
  Event event;
  for (const auto& member : *members)
    if (auto read = ReadEnvelopeMember(member, event); !read) return base::Fail(read.error());
  if (event.type.empty())
    return Wrong("\"type\" is missing: it says what happened, as in user.registered");
  if (event.data) {
    event.datacontenttype = "application/json";
    event.data_is_json = true;
  }
  return event;
}

base::Result<Event> FromStructured(JsonReader& json, std::string_view body) {
  auto members = json.Members(body);
  if (!members) return base::Fail(members.error());
  Event event;
  std::string specversion;
  std::string_view data, base64;  // raw
  for (const auto& member : *members) {
    if (member.name == "data") {
      data = member.raw;
    } else if (member.name == "data_base64") {
      base64 = member.raw;
    } else if (auto read = ReadAttribute(member, event, specversion); !read) {
      return base::Fail(read.error());
    }
  }
  if (specversion != "1.0")
    return Wrong(specversion.empty() ? "\"specversion\" is missing; a CloudEvent has \"1.0\""
                                     : "\"specversion\" is \"" + base::Excerpt(specversion) +
                                           "\", and only 1.0 is supported");
  if (event.type.empty()) return Wrong("\"type\" is missing");
  if (auto read = ReadData(json, data, base64, event); !read) return base::Fail(read.error());
  return event;
}

base::Result<std::vector<std::string_view>> SplitBatch(JsonReader& json, std::string_view body) {
  auto items = json.Items(body, kMaxBatch);
  if (!items) return base::Fail(items.error());
  for (size_t i = 0; i < items->size(); ++i)
    if ((*items)[i].front() != '{')
      return Wrong("item " + std::to_string(i) + " of the batch is not an object");
  return items;
}

}  // namespace outrigger::event
