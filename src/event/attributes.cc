// Rules for attributes that all bindings share.
#include <algorithm>
#include <charconv>
#include <chrono>

#include "base/ascii.h"
#include "base/json_text.h"
#include "event/attributes.h"
#include "event/cloudevents.h"

namespace outrigger::event {
namespace {

bool AllDigits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

int Number(std::string_view digits) {
  int value = 0;
  for (const char c : digits) value = value * 10 + (c - '0');
  return value;
}

bool IsOffset(std::string_view text) {
  if (text == "Z" || text == "z") return true;
  return text.size() == 6 && (text[0] == '+' || text[0] == '-') && text[3] == ':' &&
         AllDigits(text.substr(1, 2)) && AllDigits(text.substr(4, 2)) &&
         Number(text.substr(1, 2)) < 24 && Number(text.substr(4, 2)) < 60;
}

// The code point of a well-formed UTF-8 sequence of two bytes or more.
uint32_t CodePoint(std::string_view sequence) {
  uint32_t code = static_cast<unsigned char>(sequence.front()) & (0x7FU >> sequence.size());
  for (const char c : sequence.substr(1))
    code = code << 6 | (static_cast<unsigned char>(c) & 0x3FU);
  return code;
}

// CloudEvents 1.0.2, "Type System", Integer: 32 bits. JSON format, section 2.2: no fraction and no
// exponent.
bool IsInteger(std::string_view text) {
  int32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

struct Attribute {
  const char* name;
  std::string Event::*value;
};
// The attributes that CloudEvents defines; all of them are strings.
constexpr Attribute kContextAttributes[] = {{"id", &Event::id},
                                            {"source", &Event::source},
                                            {"type", &Event::type},
                                            {"subject", &Event::subject},
                                            {"time", &Event::time},
                                            {"datacontenttype", &Event::datacontenttype},
                                            {"dataschema", &Event::dataschema}};

base::Failure Illegal(std::string_view name, std::string_view what) {
  return base::Fail(base::Error::Invalid(
      std::string("the attribute \"").append(base::Excerpt(name)).append("\" ").append(what)));
}

base::Result<void> CheckLiteral(const Event& event, const std::string& name) {
  for (const auto& known : kContextAttributes)
    if (name == known.name)
      return Illegal(name, "is " + event.*known.value + " without quotes, and must be a string");
  const std::string value(event.Extension(name));
  if (value == "true" || value == "false" || IsInteger(value)) return {};
  return Illegal(name, "is the number " + base::Excerpt(value, 100) +
                           ", and a CloudEvents attribute is an integer of 32 bits, a boolean or "
                           "a string: write \"" +
                           base::Excerpt(value, 100) + "\"");
}

}  // namespace

bool IsRfc3339(std::string_view text) {
  // 2026-11-23T20:15:30[.fraction](Z|+hh:mm)
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' || text[13] != ':' || text[16] != ':')
    return false;
  if (text[10] != 'T' && text[10] != 't') return false;
  for (const auto& [at, length] : {std::pair{0, 4}, {5, 2}, {8, 2}, {11, 2}, {14, 2}, {17, 2}})
    if (!AllDigits(text.substr(static_cast<size_t>(at), static_cast<size_t>(length)))) return false;
  static constexpr int kDays[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const int year = Number(text.substr(0, 4));
  const int month = Number(text.substr(5, 2));
  const int day = Number(text.substr(8, 2));
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  if (month < 1 || month > 12 || day < 1 || day > kDays[month - 1] ||
      (month == 2 && day == 29 && !leap))
    return false;
  if (Number(text.substr(11, 2)) > 23 || Number(text.substr(14, 2)) > 59 ||
      Number(text.substr(17, 2)) > 60)
    return false;
  std::string_view rest = text.substr(19);
  if (rest.front() == '.') {
    const size_t end = std::min(rest.find_first_not_of("0123456789", 1), rest.size());
    if (end == 1) return false;
    rest.remove_prefix(end);
  }
  return IsOffset(rest);
}

int64_t UnixMillis(std::string_view rfc3339) {
  namespace chrono = std::chrono;
  const auto two = [rfc3339](size_t at) { return Number(rfc3339.substr(at, 2)); };
  const chrono::sys_days day(chrono::year(Number(rfc3339.substr(0, 4))) / two(5) / two(8));
  // A leap second is the first of the next minute.
  chrono::milliseconds time = day.time_since_epoch() + chrono::hours(two(11)) +
                              chrono::minutes(two(14)) + chrono::seconds(two(17));
  std::string_view rest = rfc3339.substr(19);
  if (rest.front() == '.') {
    int worth = 100;
    for (rest.remove_prefix(1); AllDigits(rest.substr(0, 1)); rest.remove_prefix(1), worth /= 10)
      time += chrono::milliseconds(worth * Number(rest.substr(0, 1)));
  }
  if (rest.size() == 6) {
    const auto shift =
        chrono::hours(Number(rest.substr(1, 2))) + chrono::minutes(Number(rest.substr(4, 2)));
    time -= rest.front() == '+' ? shift : -shift;
  }
  return time.count();
}

bool IsAttributeText(std::string_view text) {
  while (!text.empty()) {
    const auto byte = static_cast<unsigned char>(text.front());
    size_t length = 1;
    if (byte < 0x20 || byte > 0x7E) {
      length = base::Utf8Length(text);
      if (length < 2) return false;
      const uint32_t code = CodePoint(text.substr(0, length));
      const bool noncharacter = (code >= 0xFDD0 && code <= 0xFDEF) || (code & 0xFFFE) == 0xFFFE;
      if (code < 0xA0 || noncharacter) return false;
    }
    text.remove_prefix(length);
  }
  return true;
}

std::string MediaType(std::string_view content_type) {
  return base::LowerAscii(base::TrimBlanks(content_type.substr(0, content_type.find(';'))));
}

bool IsJson(std::string_view content_type) {
  const std::string type = MediaType(content_type);
  const size_t slash = type.find('/');
  if (slash == 0 || slash == std::string::npos) return false;
  const std::string_view subtype = std::string_view(type).substr(slash + 1);
  return subtype == "json" || (subtype.size() > 5 && subtype.ends_with("+json"));
}

bool IsText(std::string_view content_type) {
  const std::string type = MediaType(content_type);
  if (!type.starts_with("text/") && !type.ends_with("/xml") && !type.ends_with("+xml"))
    return false;
  const std::string lower = base::LowerAscii(content_type);
  const size_t charset = lower.find("charset=");
  if (charset == std::string::npos) return true;
  const std::string_view value = std::string_view(lower).substr(charset + 8);
  return value.starts_with("utf-8") || value.starts_with("\"utf-8\"") ||
         value.starts_with("us-ascii") || value.starts_with("\"us-ascii\"");
}

bool IsAttributeName(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  });
}

base::Result<void> CheckAttributes(const Event& event) {
  const auto invalid = [](std::string what) {
    return base::Fail(base::Error::Invalid(std::move(what)));
  };
  if (event.type.empty()) return invalid("the event has no type");
  if (event.id.empty()) return invalid("the event has no id");
  if (event.source.empty()) return invalid("the event has no source");
  if (!event.time.empty() && !IsRfc3339(event.time))
    return invalid("time is \"" + base::Excerpt(event.time) +
                   "\", and RFC 3339 writes 2026-11-23T20:15:30Z");
  for (const auto& [name, value] : event.extensions)
    if (!IsAttributeName(name))
      return invalid("the attribute name \"" + base::Excerpt(name) +
                     "\" has more than lower-case letters and digits");
  return {};
}

base::Result<void> CheckAttributeValues(const Event& event) {
  static constexpr char kNoString[] =
      "has a control character or bytes that are not UTF-8, and CloudEvents allows neither";
  for (const auto& [name, value] : kContextAttributes)
    if (!IsAttributeText(event.*value)) return Illegal(name, kNoString);
  if (!IsAttributeText(event.version)) return Illegal("version", kNoString);
  for (const auto& [name, value] : event.extensions)
    if (!IsAttributeText(value)) return Illegal(name, kNoString);
  for (const auto& name : event.literals)
    if (auto legal = CheckLiteral(event, name); !legal) return legal;
  return {};
}

bool IsReservedHeader(std::string_view name) {
  const std::string lower = base::LowerAscii(name);
  return lower.starts_with("ce_") || lower.starts_with("outrigger-") || lower == "content-type";
}

bool SetAttribute(Event& event, std::string_view name, std::string value) {
  std::string* known = name == "id"                ? &event.id
                       : name == "source"          ? &event.source
                       : name == "type"            ? &event.type
                       : name == "subject"         ? &event.subject
                       : name == "time"            ? &event.time
                       : name == "dataschema"      ? &event.dataschema
                       : name == "datacontenttype" ? &event.datacontenttype
                       : name == "version"         ? &event.version
                                                   : nullptr;
  if (known) {
    *known = std::move(value);
  } else {
    event.extensions.emplace_back(std::string(name), std::move(value));
  }
  return known != nullptr;
}

}  // namespace outrigger::event
