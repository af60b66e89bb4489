#include "event/template.h"

#include "event/attributes.h"
#include "event/path.h"

namespace outrigger::event {
namespace {

constexpr char kPlaces[] =
    "placeholders are {type} {type.first} {source} {subject} {version} {id} {key} {header.<name>} "
    "{extension.<name>} {data.<path>}";

base::Error Unfit(std::string message) {
  return {base::Code::kNotFound, std::move(message), {}, false};
}

}  // namespace

bool Template::ReadPlace(std::string_view place, Part& part) {
  using Kind = Part::Kind;
  part.text = std::string(place);
  const auto named = [&](std::string_view prefix) {
    if (!place.starts_with(prefix) || place.size() == prefix.size()) return false;
    part.text = std::string(place.substr(prefix.size()));
    return true;
  };
  if (place == "type") {
    part.kind = Kind::kType;
  } else if (place == "type.first") {
    part.kind = Kind::kTypeFirst;
  } else if (place == "source") {
    part.kind = Kind::kSource;
  } else if (place == "subject") {
    part.kind = Kind::kSubject;
  } else if (place == "version") {
    part.kind = Kind::kVersion;
  } else if (place == "id") {
    part.kind = Kind::kId;
  } else if (place == "key") {
    part.kind = Kind::kKey;
  } else if (named("header.")) {
    part.kind = Kind::kHeader;
  } else if (named("extension.")) {
    part.kind = Kind::kExtension;
    return IsAttributeName(part.text);
  } else if (named("data.")) {
    part.kind = Kind::kData;
    part.path = SplitPath(part.text);
  } else {
    return false;
  }
  return true;
}

Template Template::Compile(const config::Text& from, std::vector<config::Problem>& problems) {
  Template compiled;
  compiled.text_ = from.value;
  std::string literal;
  const auto flush = [&] {
    if (!literal.empty())
      compiled.parts_.push_back({Part::Kind::kText, std::exchange(literal, {}), {}});
  };
  const std::string_view text = from.value;
  for (size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    const bool doubled = at + 1 < text.size() && text[at + 1] == c;
    if ((c == '{' || c == '}') && doubled) {
      literal.push_back(c);
      ++at;
    } else if (c == '{') {
      const size_t end = text.find('}', at);
      Part part{};
      if (end == std::string_view::npos || !ReadPlace(text.substr(at + 1, end - at - 1), part)) {
        problems.push_back(
            {from.place, from.path,
             "the place \"" +
                 std::string(text.substr(at, end == std::string_view::npos ? end : end - at + 1)) +
                 "\" is not known",
             kPlaces});
        return compiled;
      }
      flush();
      compiled.parts_.push_back(std::move(part));
      at = end;
    } else if (c == '}') {
      problems.push_back({from.place, from.path, "a '}' without its '{'", "write }} for a brace"});
      return compiled;
    } else {
      literal.push_back(c);
    }
  }
  flush();
  return compiled;
}

bool Template::constant() const {
  return parts_.empty() || (parts_.size() == 1 && parts_.front().kind == Part::Kind::kText);
}

const std::string& Template::text() const { return text_; }

base::Result<JsonValue> Template::ValueAt(const Part& part, const Event& event, Data& data) {
  using Kind = Part::Kind;
  const auto text = [](std::string_view value) {
    return value.empty() ? JsonValue() : JsonValue{JsonValue::Kind::kString, std::string(value)};
  };
  switch (part.kind) {
    case Kind::kText:
      return text(part.text);
    case Kind::kType:
      return text(event.type);
    case Kind::kTypeFirst:
      return text(std::string_view(event.type).substr(0, event.type.find('.')));
    case Kind::kSource:
      return text(event.source);
    case Kind::kSubject:
      return text(event.subject);
    case Kind::kVersion:
      return text(event.version);
    case Kind::kId:
      return text(event.id);
    case Kind::kKey:
      return text(event.key.value_or(std::string()));
    case Kind::kHeader:
      for (const auto& header : event.headers)
        if (header.name == part.text && header.value) return text(*header.value);
      return JsonValue();
    case Kind::kExtension:
      return text(event.Extension(part.text));
    case Kind::kData:
      break;
  }
  return data.At(part.path);
}

std::string Template::Part::Name() const {
  switch (kind) {
    case Kind::kHeader:
      return "header." + text;
    case Kind::kExtension:
      return "extension." + text;
    case Kind::kData:
      return "data." + text;
    default:
      return text;
  }
}

base::Result<std::string> Template::Render(const Event& event, Data& data) const {
  if (constant()) return parts_.empty() ? std::string() : parts_.front().text;
  std::string out;
  for (const auto& part : parts_) {
    if (part.kind == Part::Kind::kText) {
      out.append(part.text);
      continue;
    }
    auto value = ValueAt(part, event, data);
    if (!value) return base::Fail(value.error());
    if (value->text.empty()) {
      const bool nested =
          value->kind == JsonValue::Kind::kObject || value->kind == JsonValue::Kind::kArray;
      return base::Fail(Unfit(part.Name() + (nested ? " is an object or array, and a text is needed"
                                                    : " is absent or empty")));
    }
    out.append(value->text);
  }
  return out;
}

KeyRule KeyRule::Compile(const config::Text& from, std::vector<config::Problem>& problems) {
  KeyRule rule;
  // A placeholder without braces, the usual key rule, is a template of that placeholder.
  config::Text text = from;
  if (text.value.find('{') == std::string::npos) text.value = "{" + text.value + "}";
  rule.template_ = Template::Compile(text, problems);
  return rule;
}

base::Result<std::optional<std::string>> KeyRule::Key(const Event& event, Data& data) const {
  std::string key;
  bool complete = true;  // an object is an error, whatever else the template has
  for (const auto& part : template_.parts_) {
    auto value = Template::ValueAt(part, event, data);
    if (!value) return base::Fail(value.error());
    if (value->kind == JsonValue::Kind::kObject || value->kind == JsonValue::Kind::kArray)
      return base::Fail(
          Unfit(part.Name() + " is an object or array; a key is a text, number or boolean"));
    complete = complete && !value->text.empty();
    key.append(value->text);
  }
  if (!complete) return std::optional<std::string>();
  return std::optional(std::move(key));
}

}  // namespace outrigger::event
