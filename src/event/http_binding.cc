// CloudEvents over HTTP, binary mode (http-protocol-binding 1.0.2, section 3.1).
#include <algorithm>

#include "base/json_text.h"
#include "base/percent.h"
#include "event/attributes.h"
#include "event/cloudevents.h"

namespace outrigger::event {
namespace {

// What begins with a quote, without the quotes and backslashes of a quoted string (RFC 7230,
// section 3.2.6); as it is when it is none.
std::string Unquote(std::string_view text) {
  std::string out;
  for (size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') return i + 1 == text.size() ? out : std::string(text);
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    out.push_back(text[i]);
  }
  return std::string(text);  // it does not end
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
      return wrong("the header " + base::Excerpt(name) +
                   " is not an attribute: only letters and digits follow ce-");
    if (attribute == "datacontenttype")
      return wrong("ce-datacontenttype is not a header: Content-Type says it");
    if (attribute == "data") return wrong("ce-data is not an attribute: the body is the data");
    const auto times =
        std::count_if(fields.begin(), fields.end(),
                      [wanted = name](const auto& field) { return field.name == wanted; });
    if (times > 1) return wrong("the header " + base::Excerpt(name) + " appears twice");
    // Section 3.1.3.2: first the quotes, then the escapes.
    std::string text = value.starts_with('"') ? base::PercentDecodedValue(Unquote(value))
                                              : base::PercentDecodedValue(value);
    if (text.empty()) return wrong("the header " + base::Excerpt(name) + " is empty");
    if (attribute == "specversion") {
      specversion = std::move(text);
    } else {
      SetAttribute(event, attribute, std::move(text));
    }
  }
  if (specversion.empty() ? required : specversion != "1.0")
    return wrong(specversion.empty() ? "the header ce-specversion is missing; a CloudEvent has 1.0"
                                     : "ce-specversion is \"" + base::Excerpt(specversion) +
                                           "\", and only 1.0 is supported");
  if (required && event.type.empty()) return wrong("the header ce-type is missing");
  if (!body.empty()) {
    event.data = std::move(body);
    event.data_is_json = IsJson(event.datacontenttype);
  }
  return event;
}

}  // namespace outrigger::event
