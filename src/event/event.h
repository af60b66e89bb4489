// One event: a CloudEvent 1.0 with its data as bytes, and what the caller asked of Kafka (key,
// headers).
//
// A plain value; no thread.
// Source: CloudEvents 1.0.2, "Context Attributes"; contract: data is never encoded again.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace outrigger::event {

struct Header {
  std::string name;
  std::optional<std::string> value;  // nullopt: Kafka's null header value

  bool operator==(const Header&) const = default;
};

inline bool HasHeader(const std::vector<Header>& headers, std::string_view name) {
  return std::any_of(headers.begin(), headers.end(),
                     [name](const Header& header) { return header.name == name; });
}

// In memory.
inline size_t BytesOf(const std::vector<Header>& headers) {
  size_t sum = headers.size() * sizeof(Header);
  for (const auto& header : headers)
    sum += header.name.size() + (header.value ? header.value->size() : 0);
  return sum;
}

struct Event {
  // The attributes with meaning of their own here. Empty: absent (CloudEvents has no empty
  // attributes).
  std::string id;
  std::string source;
  std::string type;
  std::string subject;
  std::string time;             // RFC 3339, as the caller wrote it
  std::string datacontenttype;  // "application/json" where a binding implies it
  std::string dataschema;
  std::string version;  // extension attribute `version`
  // Every other extension attribute, in the order met; `partitionkey`, `traceparent`, `tracestate`
  // are here.
  std::vector<std::pair<std::string, std::string>> extensions;
  // Names of the attributes that came as JSON numbers or booleans: in the JSON format their text
  // has no quotes. Everywhere else an attribute is text.
  std::vector<std::string> literals;

  std::optional<std::string> key;  // the caller's `key`, as raw bytes; not an attribute
  std::vector<Header> headers;     // the caller's Kafka headers

  std::optional<std::string> data;  // unchanged bytes; nullopt: an event without data
  bool data_is_json = false;  // there is data, and datacontenttype is JSON (…/json or …+json)
  bool data_is_text = false;  // it came as text: a string in the JSON format, whatever its type

  // The value of extension `name`, or empty.
  std::string_view Extension(std::string_view name) const {
    if (name == "version") return version;
    for (const auto& [key_name, value] : extensions)
      if (key_name == name) return value;
    return {};
  }

  // What it holds in memory beside itself.
  size_t bytes() const {
    size_t sum = BytesOf(headers) + (key ? key->size() : 0) + (data ? data->size() : 0);
    for (const std::string* text :
         {&id, &source, &type, &subject, &time, &datacontenttype, &dataschema, &version})
      sum += text->size();
    for (const auto& [name, value] : extensions)
      sum += sizeof(std::pair<std::string, std::string>) + name.size() + value.size();
    for (const auto& name : literals) sum += sizeof(std::string) + name.size();
    return sum;
  }
};

// What Kafka gets. partition -1: chosen by the producer (murmur2 of the key; sticky without a key).
struct Record {
  std::string topic;
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::vector<Header> headers;
  int32_t partition = -1;
  int64_t timestamp_ms = 0;  // since 1970; 0: the time when it is sent

  size_t bytes() const {
    size_t sum = topic.size() + (key ? key->size() : 0) + (value ? value->size() : 0);
    for (const auto& header : headers)
      sum += header.name.size() + (header.value ? header.value->size() : 0);
    return sum;
  }
};

}  // namespace outrigger::event
