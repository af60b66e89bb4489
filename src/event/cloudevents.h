// The CloudEvents bindings and Outrigger's own envelope: bytes of HTTP → Event → Record of Kafka.
//
// All functions are pure (JsonReader aside, which is a reused buffer) and run on the flow's thread.
// Errors are Code::kInvalid with a message that says which attribute or byte is wrong. Nothing here
// fills missing attributes: the publish flow does, since it knows client id and clock. Sources:
// CloudEvents 1.0.2 core, http-protocol-binding, kafka-protocol-binding, json-format.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "event/event.h"
#include "event/json.h"

namespace outrigger::event {

// A header of an HTTP request: name in lower case, value without blanks at its ends.
struct HttpField {
  std::string_view name;
  std::string_view value;
};

// {"type", "data", "id"?, "version"?, "source"?, "subject"?, "time"?, "key"?, "headers"?}. An
// unknown member is an error that names the nearest known one. `data` keeps its bytes;
// datacontenttype is application/json.
base::Result<Event> FromEnvelope(JsonReader& json, std::string_view body);

// application/cloudevents+json, structured mode; `data_base64` is decoded. id and source may be
// absent: they are filled, as in every form.
base::Result<Event> FromStructured(JsonReader& json, std::string_view body);

// Each item of a batch has a result of its own in the answer, so there is a bound.
inline constexpr size_t kMaxBatch = 16'384;

// The items of an application/cloudevents-batch+json array, as views into `body`, each a JSON
// object that FromStructured takes. The array as a whole is checked strictly here. More than
// kMaxBatch items are an error (kTooLarge).
base::Result<std::vector<std::string_view>> SplitBatch(JsonReader& json, std::string_view body);

// Binary mode: attributes from ce-* fields (a quoted string's quotes taken off, then
// percent-decoded once), content-type → datacontenttype, body → data. With `required`, ce-type and
// ce-specversion must be there; without (POST /v1/events/{type}), any may be absent. A body of no
// bytes is no data.
base::Result<Event> FromHttpBinary(std::span<const HttpField> fields, std::string body,
                                   bool required);

// The media type of a Content-Type: without parameters, in lower case.
std::string MediaType(std::string_view content_type);

// Whether it is JSON: */json, or anything ending in +json (json-format, section 3.1).
bool IsJson(std::string_view content_type);

// Whether it is text that JSON can hold as a string: text/* or XML, in UTF-8.
bool IsText(std::string_view content_type);

// Checks the attributes of a complete event: type, source, id present; time RFC 3339; extension
// names legal.
base::Result<void> CheckAttributes(const Event& event);

// Checks that the attributes' values are what CloudEvents has: strings of Unicode without control
// characters; of extensions that came as JSON, integers of 32 bits and booleans too. For events
// that are published: those of a consumed event can't be corrected.
base::Result<void> CheckAttributeValues(const Event& event);

// Kafka, binary mode: value = data, ce_* headers, content-type header. In both modes the caller's
// headers follow, and traceparent and tracestate are there under their own names, too, where
// tracing tools look for them, unless the caller has headers of these names.
Record ToKafkaBinary(Event event);

// Kafka, structured mode: value = one JSON object with data (JSON as it is, text as a string, else
// data_base64).
Record ToKafkaStructured(Event event);

// Header names that belong to Outrigger and the binding: ce_*, outrigger-*, content-type.
bool IsReservedHeader(std::string_view name);

}  // namespace outrigger::event
