#include "deliver/request.h"

#include <algorithm>
#include <utility>

#include "base/json_text.h"
#include "base/percent.h"
#include "event/cloudevents.h"
#include "event/data.h"
#include "event/match.h"
#include "http/header_text.h"

namespace outrigger::deliver {
namespace {

// '%' escapes the rest.
bool IsNameByte(char c) { return c != '%' && http::IsTokenByte(c); }

bool HasDotSegment(std::string_view path) {
  path = path.substr(0, path.find('?'));
  while (!path.empty()) {
    const size_t end = std::min(path.find('/'), path.size());
    const std::string_view segment = path.substr(0, end);
    if (segment == "." || segment == "..") return true;
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return false;
}

bool IsHeaderText(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
}

void AddAttributes(const event::Event& event, http::HeaderLines& headers) {
  headers.Add("ce-specversion", "1.0");
  const auto add = [&headers](std::string_view name, const std::string& value) {
    if (!value.empty()) headers.Add(name, EncodeHeaderValue(value));
  };
  add("ce-id", event.id);
  add("ce-source", event.source);
  add("ce-type", event.type);
  add("ce-time", event.time);
  add("ce-subject", event.subject);
  add("ce-dataschema", event.dataschema);
  add("ce-version", event.version);
  for (const auto& [name, value] : event.extensions) add("ce-" + name, value);
}

void AddDelivery(const Attempt& attempt, http::HeaderLines& headers) {
  const auto& record = attempt.record;
  headers.Add("outrigger-topic", record.topic);
  headers.Add("outrigger-partition", std::to_string(record.partition));
  headers.Add("outrigger-offset", std::to_string(record.offset));
  if (record.key) headers.Add("outrigger-key", EncodeHeaderValue(*record.key));
  headers.Add("outrigger-attempt", std::to_string(attempt.number));
  headers.Add("outrigger-subscription", EncodeHeaderValue(attempt.subscription));
  if (!record.value) headers.Add("outrigger-tombstone", "true");
  if (attempt.redrive) headers.Add("outrigger-redrive", "true");
  if (attempt.replay) headers.Add("outrigger-replay", "true");
}

// Tracing tools look for these two under their own names (W3C Trace Context).
bool IsTrace(std::string_view name) { return name == "traceparent" || name == "tracestate"; }

void AddKafkaHeaders(const Attempt& attempt, http::HeaderLines& headers) {
  const event::Event& event = attempt.event;
  const auto wanted = [&attempt](const std::string& name) {
    return !attempt.kafka_headers ||
           std::any_of(attempt.kafka_headers->begin(), attempt.kafka_headers->end(),
                       [&](const auto& glob) { return event::GlobMatches(glob, name); });
  };
  for (const auto& [name, value] : event.headers) {
    if (IsTrace(name)) {
      if (value) headers.Add(name, EncodeHeaderValue(*value));
      continue;
    }
    if (!wanted(name)) continue;
    headers.Add("kafka-" + base::PercentEncoded(name, IsNameByte),
                EncodeHeaderValue(value.value_or(std::string())));
  }
  for (const auto& [name, value] : event.extensions) {
    const bool own = std::any_of(event.headers.begin(), event.headers.end(),
                                 [&name = name](const auto& h) { return h.name == name; });
    if (IsTrace(name) && !own) headers.Add(name, EncodeHeaderValue(value));
  }
}

void AddRaw(const event::Event& event, http::Call& call, const kafka::Consumed& record) {
  const bool fit = !event.datacontenttype.empty() && IsHeaderText(event.datacontenttype);
  call.headers.Add("content-type", fit ? event.datacontenttype : "application/octet-stream");
  call.body = record.value.value_or(std::string());
}

void AddStructured(const event::Event& event, http::Call& call) {
  event::Event sent = event;
  sent.data_is_json =
      sent.data_is_json && base::FindBadUtf8(*sent.data) == std::string::npos;  // else in Base64
  event::Record record = event::ToKafkaStructured(std::move(sent));
  call.headers.Add("content-type", "application/cloudevents+json");
  call.body = std::move(*record.value);
}

}  // namespace

std::string EncodeHeaderValue(std::string_view value) {
  return base::PercentEncoded(value,
                              [](char c) { return c > 0x20 && c < 0x7F && c != '"' && c != '%'; });
}

HandlerPath HandlerPath::Compile(const config::Text& from, std::vector<config::Problem>& problems) {
  // Each piece is a template of its own, so that what an event fills in is escaped and what the
  // config says is not.
  HandlerPath path;
  const auto add = [&](std::string_view text, bool place) {
    if (text.empty()) return;
    config::Text piece = from;
    piece.value = std::string(text);
    path.pieces_.push_back({event::Template::Compile(piece, problems), place});
  };
  const std::string_view text = from.value;
  size_t literal = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    const bool doubled = at + 1 < text.size() && text[at + 1] == text[at];
    if ((text[at] == '{' || text[at] == '}') && doubled) {
      ++at;
    } else if (text[at] == '{') {
      add(text.substr(literal, at - literal), false);
      const size_t end = std::min(text.find('}', at), text.size() - 1);
      add(text.substr(at, end - at + 1), true);
      literal = end + 1;
      at = end;
    }
  }
  add(text.substr(std::min(literal, text.size())), false);
  if (!text.starts_with('/') || HasDotSegment(text))
    problems.push_back({from.place, from.path, "the handler's path is \"" + from.value + "\"",
                        "a path begins with / and has no segment . or .."});
  return path;
}

base::Result<std::string> HandlerPath::Render(const event::Event& event) const {
  auto data = event::Data::Consumed(event, {});
  std::string out;
  for (const auto& piece : pieces_) {
    auto text = piece.text.Render(event, data);
    if (!text) return text;
    out.append(piece.place ? base::PercentEncoded(*text, base::IsUnreserved) : *text);
  }
  // "%2E%2E" would not help: whoever resolves the path decodes dots first.
  if (HasDotSegment(out))
    return base::Fail(base::Error::Invalid("the event would be delivered to \"" + out + "\""));
  return out;
}

base::Result<http::Call> MakeCall(const HandlerPath& path, Mode mode, const Attempt& attempt) {
  const event::Event& event = attempt.event;
  auto rendered = path.Render(event);
  if (!rendered) return base::Fail(rendered.error());
  http::Call call;
  call.path = std::move(*rendered);
  call.headers.Add("accept-encoding", "identity");  // the answer is read
  switch (mode) {
    case Mode::kRaw:
      AddRaw(event, call, attempt.record);
      break;
    case Mode::kStructured:
      AddStructured(event, call);
      break;
    case Mode::kBinary:
      AddAttributes(event, call.headers);
      if (!IsHeaderText(event.datacontenttype)) {
        call.headers.Add("kafka-content-type", EncodeHeaderValue(event.datacontenttype));
      } else if (!event.datacontenttype.empty()) {
        call.headers.Add("content-type", event.datacontenttype);
      }
      call.body = event.data.value_or(std::string());
      break;
  }
  AddDelivery(attempt, call.headers);
  AddKafkaHeaders(attempt, call.headers);
  return call;
}

}  // namespace outrigger::deliver
