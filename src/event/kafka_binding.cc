// CloudEvents over Kafka (kafka-protocol-binding 1.0.2): binary and structured mode.
#include "base/json_text.h"
#include "event/base64.h"
#include "event/cloudevents.h"

namespace outrigger::event {
namespace {

void AppendMember(std::string& out, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  out.append(",\"").append(name).append("\":").append(base::JsonString(value));
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
  for (auto& [name, value] : event.extensions) {
    if (name == "traceparent" || name == "tracestate") headers.push_back({name, value});
    headers.push_back({"ce_" + name, std::move(value)});
  }
  for (auto& header : event.headers) headers.push_back(std::move(header));
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
  AppendMember(out, "version", event.version);
  AppendMember(out, "datacontenttype", event.datacontenttype);
  for (const auto& [name, value] : event.extensions) AppendMember(out, name, value);
  if (event.data && event.data_is_json) {
    out.append(",\"data\":").append(*event.data);
  } else if (event.data) {
    out.append(",\"data_base64\":\"").append(EncodeBase64(*event.data)).append("\"");
  }
  out.push_back('}');
  record.headers.push_back({"content-type", "application/cloudevents+json; charset=UTF-8"});
  for (auto& header : event.headers) record.headers.push_back(std::move(header));
  return record;
}

}  // namespace outrigger::event
