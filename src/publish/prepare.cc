#include "publish/prepare.h"

#include <algorithm>
#include <array>

#include "base/ids.h"
#include "base/json_text.h"
#include "event/attributes.h"
#include "event/cloudevents.h"
#include "event/defaults.h"
#include "event/json_scan.h"
#include "publish/dead_letter.h"

namespace outrigger::publish {
namespace {

tl::unexpected<Refused> Invalid(std::string detail,
                                std::vector<std::pair<std::string, std::string>> errors = {}) {
  return tl::unexpected(Refused{{.reason = RejectionReason::kInvalid,
                                 .detail = std::move(detail),
                                 .errors = std::move(errors)}});
}

tl::unexpected<Refused> Malformed(base::Error error) {
  return tl::unexpected(
      Refused{{.reason = RejectionReason::kMalformed, .detail = std::move(error.message)}});
}

// Data that can't be read for a route (for example with a repeated name) is malformed; data that
// lacks what the route needs (Code::kNotFound) is invalid.
tl::unexpected<Refused> Unreadable(base::Error error) {
  return error.code == base::Code::kNotFound ? Invalid(std::move(error.message))
                                             : Malformed(std::move(error));
}

base::Error At(const std::string& where, base::Error error) {
  error.message = where + ": " + error.message;
  return error;
}

std::string RawNow(base::WallTime now) { return "\"" + base::Rfc3339(now) + "\""; }

base::Result<void> Stamp(const Rule& rule, event::Event& event, base::WallTime now) {
  if (rule.defaults.empty() || !event.data || !event.data_is_json) return {};
  std::vector<std::pair<event::JsonPath, std::string>> values;
  values.reserve(rule.defaults.size());
  for (const auto& stamped : rule.defaults) {
    switch (stamped.value) {
      case Default::Value::kNow:
        values.emplace_back(stamped.path, RawNow(now));
        break;
      case Default::Value::kId:
        values.emplace_back(stamped.path, base::JsonString(event.id));
        break;
      case Default::Value::kJson:
        values.emplace_back(stamped.path, stamped.json);
        break;
    }
  }
  auto data = event::StampDefaults(std::move(*event.data), values);
  if (!data) return base::Fail(data.error());
  event.data = std::move(*data);
  return {};
}

// The rule's key, else the caller's, else the CloudEvents partitionkey.
// An empty one is none: all such events would be one key.
base::Result<std::optional<std::string>> KeyOf(const Rule& rule, const event::Event& event,
                                               event::Data& data) {
  if (rule.key) {
    auto key = rule.key->Key(event, data);
    if (!key || *key) return key;
  }
  if (event.key && !event.key->empty()) return event.key;
  if (const auto partition_key = event.Extension("partitionkey"); !partition_key.empty())
    return std::optional(std::string(partition_key));
  return std::optional<std::string>();
}

// A tombstone's value is null, so its attributes are headers in every mode.
bool IsTombstone(const Rule& rule, const event::Event& event) {
  return rule.tombstones && !event.data;
}

event::Record Bind(const Rule& rule, event::Event event) {
  return rule.mode == config::RecordMode::kBinary || IsTombstone(rule, event)
             ? event::ToKafkaBinary(std::move(event))
             : event::ToKafkaStructured(std::move(event));
}

// Where a rule takes tombstones, the data null is one, as no data is: compaction knows one null.
void TakeNull(const Rule& rule, event::Event& event) {
  if (!rule.tombstones || !event.data_is_json || event::TrimJson(*event.data) != "null") return;
  event.data.reset();
  event.data_is_json = false;
  event.datacontenttype.clear();
}

// The rule's headers, where the event has none of the name.
base::Result<void> AddHeaders(const Rule& rule, event::Event& event, event::Data& data) {
  for (const auto& [name, value] : rule.headers) {
    const bool trace = name == "traceparent" || name == "tracestate";
    if (event::HasHeader(event.headers, name) || (trace && !event.Extension(name).empty()))
      continue;
    auto text = value.Render(event, data);
    if (!text) return base::Fail(At(rule.path + ".headers." + name, std::move(text.error())));
    event.headers.push_back({name, std::move(*text)});
  }
  return {};
}

// The record's timestamp in Kafka; 0: the time when it is sent.
base::Result<int64_t> TimestampOf(const Rule& rule, const event::Event& event) {
  if (rule.timestamp == config::RecordTime::kNow) return 0;
  const int64_t time = event::UnixMillis(event.time);
  if (time > 0) return time;
  return base::Fail(
      {base::Code::kNotFound,
       rule.path + ".timestamp: Kafka counts from 1970 on, and the event's time is " + event.time,
       {},
       false});
}

// Why the data can't be taken for what its type has a schema of; none: it can.
base::Result<std::optional<Rejection>> CheckSchema(const Rule& rule, const event::Event& event) {
  if (!rule.schemas || IsTombstone(rule, event)) return std::optional<Rejection>();
  event::SchemaVerdict verdict;
  if (!event.data || !event.data_is_json) {
    // Only a type that has schemas is checked, and then data that is no JSON can't fit.
    if (!rule.schemas->Knows(event.type)) return std::optional<Rejection>();
    verdict.violations.push_back(
        {"", event.data ? "the data is " +
                              (event.datacontenttype.empty() ? std::string("of no content type")
                                                             : event.datacontenttype) +
                              ", and the schema requires JSON: send Content-Type: "
                              "application/json"
                        : "the event has no data, and its type has a schema"});
  } else {
    auto checked = rule.schemas->Validate(event.type, event.version, *event.data);
    if (!checked) return base::Fail(checked.error());
    verdict = std::move(*checked);
  }
  if (verdict.violations.empty()) return std::optional<Rejection>();
  Rejection rejection;
  rejection.detail = "the data of " + base::Excerpt(event.type) +
                     " does not match the schema of version " + base::Excerpt(event.version) +
                     " (" + rule.path + ")";
  if (verdict.more)
    rejection.detail += "; the first " + std::to_string(verdict.violations.size()) +
                        " errors are listed, there are more";
  for (auto& violation : verdict.violations)
    rejection.errors.emplace_back(std::move(violation.pointer), std::move(violation.message));
  return std::optional(std::move(rejection));
}

std::string Summary(const Rejection& rejection) {
  std::string summary;
  for (const auto& [pointer, message] : rejection.errors)
    summary.append(summary.empty() ? "" : "; ").append(pointer).append(": ").append(message);
  return summary;
}

}  // namespace

std::string TopicNameProblem(std::string_view topic) {
  if (topic.empty()) return "a topic name can't be empty";
  if (topic.size() > 249) return "a topic name has at most 249 characters";
  if (topic == "." || topic == "..") return "a topic can't be named . or ..";
  if (topic.starts_with("__")) return "topics that begin with __ are reserved by Kafka";
  for (const char c : topic) {
    const bool legal = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '_' || c == '-';
    if (!legal) return "a topic name holds only letters, digits, '.', '_' and '-'";
  }
  return {};
}

base::Result<void> Complete(event::Event& event, const std::string& source, base::WallTime now) {
  if (event.id.empty()) event.id = base::NewUuid7(now);
  if (event.source.empty()) event.source = source;
  if (event.time.empty()) event.time = base::Rfc3339(now);
  if (event.version.empty() && event.data && event.data_is_json) {
    static const std::array<event::JsonPath, 1> kVersion{event::JsonPath{"version"}};
    auto values = event::JsonReader::Read(*event.data, kVersion);
    if (!values) return base::Fail(values.error());
    const auto& value = values->front();
    if (value.kind == event::JsonValue::Kind::kString ||
        value.kind == event::JsonValue::Kind::kNumber)
      event.version = value.text;
  }
  return {};
}

tl::expected<Prepared, Refused> Prepare(const Rule& rule, event::Event event, base::WallTime now) {
  if (event.version.empty()) event.version = rule.version;
  TakeNull(rule, event);
  if (auto stamped = Stamp(rule, event, now); !stamped) return Malformed(stamped.error());

  event::Data data(event);
  auto topic = rule.topic.Render(event, data);
  if (!topic) return Unreadable(At(rule.path + ".topic", std::move(topic.error())));
  if (!rule.topic.constant()) {
    if (const std::string wrong = TopicNameProblem(*topic); !wrong.empty())
      return Invalid(rule.path + ".topic gave \"" + base::Excerpt(*topic) + "\": " + wrong);
  }
  auto key = KeyOf(rule, event, data);
  if (!key) return Unreadable(At(rule.path + ".key", std::move(key.error())));
  if (!*key && rule.key_required) {
    return Invalid(
        rule.path + " requires a key (keyRequired), and the event has none",
        {{"", "no key: the key of the route is absent in the event, and the request gave none"}});
  }
  if (auto added = AddHeaders(rule, event, data); !added)
    return Unreadable(std::move(added.error()));
  auto timestamp = TimestampOf(rule, event);
  if (!timestamp) return Unreadable(std::move(timestamp.error()));
  if (!event.data && !rule.tombstones && rule.mode == config::RecordMode::kBinary) {
    return Invalid("an event without data would be a null value in " + *topic +
                   ", which deletes the key in a compacted topic; the route " + rule.path +
                   " does not allow it (tombstones: true does)");
  }

  auto checked = CheckSchema(rule, event);
  if (!checked) return Malformed(checked.error());
  auto& invalid = *checked;
  if (invalid && rule.on_invalid != config::OnInvalid::kDeadLetter)
    return tl::unexpected(Refused{std::move(*invalid)});

  Prepared prepared{Bind(rule, std::move(event)), key->has_value()};
  prepared.record.topic = std::move(*topic);
  prepared.record.key = std::move(*key);
  prepared.record.timestamp_ms = *timestamp;
  if (!invalid) return prepared;
  auto dead_letter = DeadLetter(std::move(prepared.record), rule.dead_letter, "schema",
                                Summary(*invalid), invalid->reason, now);
  return tl::unexpected(Refused{std::move(*invalid), std::move(dead_letter)});
}

}  // namespace outrigger::publish
