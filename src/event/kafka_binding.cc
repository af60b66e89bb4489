// CloudEvents over Kafka (kafka-protocol-binding 1.0.2): binary and structured mode.
#include <algorithm>

#include "base/json_text.h"
#include "event/base64.h"
#include "event/cloudevents.h"
#include "event/json_scan.h"

namespace outrigger::event {
namespace {

void AppendMember(std::string& out, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  out.append(",\"").append(name).append("\":").append(base::JsonString(value));
}

// An integer or boolean stays one (json-format, section 2.2).
void AppendExtension(std::string& out, const Event& event, const std::string& name,
                     const std::string& value) {
  const bool literal =
      std::find(event.literals.begin(), event.literals.end(), name) != event.literals.end();
  out.append(",\"").append(name).append("\":").append(literal ? value : base::JsonString(value));
}

void AppendData(std::string& out, const Event& event) {
  if (!event.data) return;
  if (event.data_is_json) {
    out.append(",\"data\":").append(SkipMark(*event.data));
  } else if ((event.data_is_text || IsText(event.datacontenttype)) &&
             base::FindBadUtf8(*event.data) == std::string_view::npos) {
    out.append(",\"data\":").append(base::JsonString(*event.data));
  } else {
    out.append(",\"data_base64\":\"").append(EncodeBase64(*event.data)).append("\"");
  }
}

void AddCallersHeaders(Event& event, std::vector<Header>& headers) {
  for (const char* name : {"traceparent", "tracestate"}) {
    const std::string_view value = event.Extension(name);
    if (!value.empty() && !HasHeader(event.headers, name))
      headers.push_back({name, std::string(value)});
  }
  for (auto& header : event.headers) headers.push_back(std::move(header));
}

}  // namespace

Record ToKafkaBinary(Event event) {
  Record record;
  auto& headers = record.headers;
  headers.reserve(8 + event.extensions.size() + event.headers.size());
  headers.push_back({"ce_specversion", "1.0"});
  const auto add = [&headers](const char* name, std::string& value) {
    if (!value.empty()) headers.push_back({name, std::move(value)});
  };
  add("ce_id", event.id);
  add("ce_source", event.source);
  add("ce_type", event.type);
  add("ce_time", event.time);
  add("ce_subject", event.subject);
  add("ce_dataschema", event.dataschema);
  add("ce_version", event.version);
  add("content-type", event.datacontenttype);
  for (const auto& [name, value] : event.extensions) headers.push_back({"ce_" + name, value});
  AddCallersHeaders(event, headers);
  record.value = std::move(event.data);
  return record;
}

Record ToKafkaStructured(Event event) {
  Record record;
  std::string& out = record.value.emplace();
  out.reserve(256 + (event.data ? event.data->size() : 0));
  out.append("{\"specversion\":\"1.0\"");
  AppendMember(out, "id", event.id);
  AppendMember(out, "source", event.source);
  AppendMember(out, "type", event.type);
  AppendMember(out, "time", event.time);
  AppendMember(out, "subject", event.subject);
  AppendMember(out, "dataschema", event.dataschema);
  AppendMember(out, "datacontenttype", event.datacontenttype);
  if (!event.version.empty()) AppendExtension(out, event, "version", event.version);
  for (const auto& [name, value] : event.extensions) AppendExtension(out, event, name, value);
  AppendData(out, event);
  out.push_back('}');
  record.headers.push_back({"content-type", "application/cloudevents+json; charset=UTF-8"});
  AddCallersHeaders(event, record.headers);
  return record;
}

}  // namespace outrigger::event
