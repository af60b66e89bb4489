#include "publish/ask.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/ascii.h"
#include "base/json_text.h"
#include "base/percent.h"
#include "event/attributes.h"
#include "event/cloudevents.h"

namespace outrigger::publish {
namespace {

constexpr size_t kMaxTraceStates = 32;  // W3C trace context, section 3.3.1.1

base::Failure Wrong(std::string what) { return base::Fail(base::Error::Invalid(std::move(what))); }

// Calls `item` for each item of the list that all fields `name` make together, in order (RFC 9110,
// section 5.6.1): without blanks at its ends, and without those that are empty.
template <typename Item>
void ForEachListed(const http::Head& head, std::string_view name, const Item& item) {
  for (const auto& field : head.fields) {
    if (field.name != name) continue;
    std::string_view rest = field.value;
    while (!rest.empty()) {
      const size_t end = std::min(rest.find(','), rest.size());
      if (const auto text = base::TrimBlanks(rest.substr(0, end)); !text.empty()) item(text);
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
}

// Most requests have none of these headers.
bool IsAsking(const http::Field& field) {
  return field.name.starts_with("kafka-") || field.name.starts_with("trace") ||
         field.name == "prefer" || field.name == "idempotency-key";
}

base::Result<config::Ack> ReadAck(const std::string& ack) {
  if (ack == "kafka") return config::Ack::kKafka;
  if (ack == "disk") return config::Ack::kDisk;
  if (ack == "memory") return config::Ack::kMemory;
  return Wrong("?ack= is kafka, disk or memory, not \"" + base::Excerpt(ack) + "\"");
}

bool PrefersAsync(const http::Head& head) {
  bool async = false;
  ForEachListed(head, "prefer", [&async](std::string_view preference) {
    preference = base::TrimBlanks(preference.substr(0, preference.find(';')));
    async = async || base::LowerAscii(preference) == "respond-async";
  });
  return async;
}

// Of a field that may appear once; an error when it appears twice.
base::Result<std::string> ReadSingle(const http::Head& head, std::string_view name) {
  const auto times = std::count_if(head.fields.begin(), head.fields.end(),
                                   [name](const auto& field) { return field.name == name; });
  if (times > 1) return Wrong("the header " + std::string(name) + " appears twice");
  return std::string(head.Find(name));
}

// kafka-<name>: the name and the value are percent-decoded, as they are encoded on delivery, so
// that both may hold any byte.
base::Result<event::Header> ReadHeader(const http::Field& field, bool raw) {
  event::Header header{base::PercentDecodedValue(field.name.substr(6)),
                       base::PercentDecodedValue(field.value)};
  if (header.name.empty()) return Wrong("the header kafka- names no Kafka header");
  if (event::IsReservedHeader(header.name) && !(raw && header.name == "content-type"))
    return Wrong("the header " + base::Excerpt(field.name) +
                 " can't be set by the caller (ce_* and outrigger-* are ours" +
                 (raw ? ")" : ", and Content-Type is the data's)"));
  return header;
}

// An event is not refused for an invalid trace: the trace is left out, as the W3C specifies. Two
// that differ are invalid.
std::string ReadTraceParent(const http::Head& head) {
  const std::string_view value = head.Find("traceparent");
  const bool one = std::all_of(head.fields.begin(), head.fields.end(), [value](const auto& field) {
    return field.name != "traceparent" || field.value == value;
  });
  return one && event::IsAttributeText(value) ? std::string(value) : std::string();
}

std::string ReadTraceState(const http::Head& head) {
  std::string all;
  size_t count = 0;
  ForEachListed(head, "tracestate", [&](std::string_view state) {
    if (++count <= kMaxTraceStates) all.append(all.empty() ? "" : ",").append(state);
  });
  return event::IsAttributeText(all) ? all : std::string();
}

template <typename Has, typename Give>
void CompleteTrace(const Ask& ask, const Has& has, const Give& give) {
  // A tracestate belongs to its traceparent.
  if (ask.traceparent.empty() && ask.tracestate.empty()) return;
  const bool own = has("traceparent");
  if (!ask.tracestate.empty() && !own && !has("tracestate")) give("tracestate", ask.tracestate);
  if (!ask.traceparent.empty() && !own) give("traceparent", ask.traceparent);
}

}  // namespace

void Ask::Complete(event::Event& event) const {
  if (event.id.empty()) event.id = id;
  std::vector<event::Header> more;
  for (const auto& header : headers)
    if (!event::HasHeader(event.headers, header.name)) more.push_back(header);
  std::move(more.begin(), more.end(), std::back_inserter(event.headers));
  CompleteTrace(
      *this,
      [&event](const char* name) {
        return event::HasHeader(event.headers, name) || !event.Extension(name).empty();
      },
      [&event](const char* name, const std::string& value) {
        event.extensions.emplace_back(name, value);
      });
}

void Ask::Complete(event::Record& record) const {
  record.headers = headers;
  CompleteTrace(
      *this, [&record](const char* name) { return event::HasHeader(record.headers, name); },
      [&record](const char* name, const std::string& value) {
        record.headers.push_back({name, value});
      });
}

base::Result<Ask> ReadAsk(const http::Head& head, bool raw, bool spool) {
  Ask ask;
  if (head.query.empty() && std::none_of(head.fields.begin(), head.fields.end(), IsAsking))
    return ask;
  if (const std::string* given = head.Query("ack")) {
    auto ack = ReadAck(*given);
    if (!ack) return base::Fail(ack.error());
    ask.ack = *ack;
  } else if (spool && PrefersAsync(head)) {
    ask.ack = config::Ack::kDisk;
    ask.async = true;
  }
  auto id = ReadSingle(head, "idempotency-key");
  if (!id) return base::Fail(id.error());
  ask.id = std::move(*id);
  for (const auto& field : head.fields) {
    if (!field.name.starts_with("kafka-")) continue;
    auto header = ReadHeader(field, raw);
    if (!header) return base::Fail(header.error());
    ask.headers.push_back(std::move(*header));
  }
  ask.traceparent = ReadTraceParent(head);
  ask.tracestate = ReadTraceState(head);
  return ask;
}

}  // namespace outrigger::publish
