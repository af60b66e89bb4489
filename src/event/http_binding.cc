// CloudEvents over HTTP, binary mode (http-protocol-binding 1.0.2, section 3.1).
#include <algorithm>

#include "event/attributes.h"
#include "event/cloudevents.h"

namespace outrigger::event {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// One round of percent-decoding; a bare '%' stays, as section 3.1.3.2 asks of receivers.
std::string DecodeValue(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
    const int low = high >= 0 ? HexDigit(text[i + 2]) : -1;
    if (low >= 0) {
      out.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

}  // namespace

base::Result<Event> FromHttpBinary(std::span<const HttpField> fields, std::string body,
                                   bool required) {
  const auto wrong = [](std::string what) {
    return base::Fail(base::Error::Invalid(std::move(what)));
  };
  Event event;
  std::string specversion;
  for (const auto& [name, value] : fields) {
    if (name == "content-type") event.datacontenttype = std::string(value);
    if (!name.starts_with("ce-")) continue;
    const std::string_view attribute = name.substr(3);
    if (!IsAttributeName(attribute))
      return wrong("the header " + std::string(name) +
                   " is no attribute: only letters and digits follow ce-");
    if (attribute == "datacontenttype")
      return wrong("ce-datacontenttype is not a header: Content-Type says it");
    if (attribute == "data") return wrong("ce-data is no attribute: the body is the data");
    const auto times =
        std::count_if(fields.begin(), fields.end(),
                      [wanted = name](const auto& field) { return field.name == wanted; });
    if (times > 1) return wrong("the header " + std::string(name) + " stands twice");
    if (value.empty()) return wrong("the header " + std::string(name) + " is empty");
    if (attribute == "specversion") {
      specversion = std::string(value);
    } else {
      SetAttribute(event, attribute, DecodeValue(value));
    }
  }
  if (specversion.empty() ? required : specversion != "1.0")
    return wrong(specversion.empty()
                     ? "the header ce-specversion is missing; a CloudEvent has 1.0"
                     : "ce-specversion is \"" + specversion + "\", and 1.0 is spoken here");
  if (required && event.type.empty()) return wrong("the header ce-type is missing");
  if (!body.empty()) event.data = std::move(body);
  event.data_is_json = IsJson(event.datacontenttype);
  return event;
}

}  // namespace outrigger::event
