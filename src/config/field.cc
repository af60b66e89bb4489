#include "config/field.h"

#include <algorithm>

#include "base/nearest.h"

namespace outrigger::config {

void ReportUnknown(const Spot& mapping, const YamlNode::Entry& entry,
                   const std::vector<std::string>& known, Reading& reading) {
  const std::string name = Excerpt(entry.name);
  const Spot spot{mapping.value, entry.line, entry.column,
                  mapping.path.empty() ? name : mapping.path + "." + name};
  const std::string nearest = base::Nearest(entry.name, known);
  reading.Error(
      spot, "unknown field `" + name + "`",
      nearest.empty() ? "known here: " + Listed(known) : "did you mean `" + nearest + "`?");
}

bool IsMapping(const Spot& spot, Reading& reading) {
  if (spot.value.kind == YamlNode::Kind::kMapping || spot.value.kind == YamlNode::Kind::kNull)
    return true;
  reading.Error(spot, "must be a mapping of fields", "write `name: value` lines below it");
  return false;
}

bool IsList(const Spot& spot, Reading& reading) {
  if (spot.value.kind == YamlNode::Kind::kList || spot.value.kind == YamlNode::Kind::kNull)
    return true;
  reading.Error(spot, "must be a list", "start each entry with `- `, or write [a, b]");
  return false;
}

Json Shown(bool value) { return value; }
Json Shown(uint32_t value) { return value; }
Json Shown(uint64_t value) { return ShowSize(value); }
Json Shown(double value) { return value; }
Json Shown(Millis value) { return ShowDuration(value); }
Json Shown(const std::string& value) { return value.empty() ? Json() : Json(value); }
Json Shown(const std::vector<std::string>& values) { return values; }
Json Shown(const Text& value) { return value.value; }
Json Shown(const std::optional<Text>& value) { return value ? Json(value->value) : Json(); }
Json Shown(const std::vector<Text>& values) {
  Json shown = Json::array();
  for (const auto& value : values) shown.push_back(value.value);
  return shown;
}

namespace {

// In YAML a quoted number is a text, for every other reader of the file too.
const std::string* Unquoted(const Spot& spot, Reading& reading) {
  const std::string* text = reading.Scalar(spot);
  if (text == nullptr || spot.value.plain) return text;
  reading.Error(spot, "must be a number, not the text \"" + Excerpt(*text) + "\"",
                "remove the quotes");
  return nullptr;
}

}  // namespace

bool ReadBoolean(bool& value, const Spot& spot, Reading& reading) {
  const std::string* text = reading.Scalar(spot);
  if (text == nullptr) return false;
  if (spot.value.plain && (*text == "true" || *text == "false")) {
    value = *text == "true";
    return true;
  }
  const bool quoted = !spot.value.plain && (*text == "true" || *text == "false");
  reading.Error(
      spot, "must be true or false, not " + (quoted ? "the text \"" + *text + "\"" : Quoted(*text)),
      quoted ? "remove the quotes" : "write `true` or `false`");
  return false;
}

bool ReadWhole(uint64_t& value, const Spot& spot, uint64_t least, uint64_t most, Reading& reading) {
  const std::string* text = Unquoted(spot, reading);
  if (text == nullptr) return false;
  const auto number = ParseWhole(*text);
  if (number && *number >= least && *number <= most) {
    value = *number;
    return true;
  }
  reading.Error(spot, "must be a whole number, not " + Quoted(*text),
                "from " + std::to_string(least) + " to " + std::to_string(most));
  return false;
}

bool ReadNumber(double& value, const Spot& spot, double above, double most, Reading& reading) {
  const std::string* text = Unquoted(spot, reading);
  if (text == nullptr) return false;
  const auto number = ParseNumber(*text);
  if (number && *number > above && *number <= most) {
    value = *number;
    return true;
  }
  reading.Error(spot, "must be a number, not " + Quoted(*text),
                "above " + Json(above).dump() + ", at most " + Json(most).dump());
  return false;
}

bool ReadDuration(Millis& value, const Spot& spot, Millis least, Millis most, Reading& reading) {
  const std::string* text = reading.Scalar(spot);
  if (text == nullptr) return false;
  const auto duration = ParseDuration(*text);
  if (!duration) {
    reading.Error(spot, duration.error());
    return false;
  }
  if (*duration < least || *duration > most) {
    reading.Error(
        spot,
        "must be from " + ShowDuration(least) + " to " + ShowDuration(most) + ", not " + *text,
        "choose a value in that range");
    return false;
  }
  value = *duration;
  return true;
}

bool ReadSize(uint64_t& value, const Spot& spot, uint64_t least, uint64_t most, Reading& reading) {
  const std::string* text = reading.Scalar(spot);
  if (text == nullptr) return false;
  const auto size = ParseSize(*text);
  if (!size) {
    reading.Error(spot, size.error());
    return false;
  }
  if (*size < least || *size > most) {
    reading.Error(spot,
                  "must be from " + ShowSize(least) + " to " + ShowSize(most) + ", not " + *text,
                  "choose a value in that range");
    return false;
  }
  value = *size;
  return true;
}

bool ReadTexts(std::vector<std::string>& values, const Spot& spot, Reading& reading) {
  if (!IsList(spot, reading)) return false;
  std::vector<std::string> texts;
  for (const YamlNode* item : spot.value.items) {
    const Spot at{*item, item->line, item->column,
                  spot.path + "[" + std::to_string(texts.size()) + "]"};
    const std::string* text = reading.Filled(at);
    texts.push_back(text ? *text : "");
  }
  values = std::move(texts);
  return true;
}

bool ReadText(std::string& value, const Spot& spot, const TextCheck& check, Reading& reading) {
  const std::string* text = reading.Filled(spot);
  if (text == nullptr) return false;
  if (const auto wrong = check ? check(*text) : std::nullopt) {
    reading.Error(spot, *wrong);
    return false;
  }
  value = *text;
  return true;
}

bool ReadFile(std::string& value, const Spot& spot, Reading& reading) {
  const std::string* text = reading.Filled(spot);
  if (text == nullptr) return false;
  value = reading.Resolve(*text);
  if (const auto wrong = CheckReadable(value)) reading.Error(spot, *wrong);
  return true;
}

Choices<std::string> Words(const std::vector<std::string>& words) {
  Choices<std::string> choices;
  for (const auto& word : words) choices.now.emplace_back(word, word);
  return choices;
}

std::optional<size_t> ReadChoice(const Spot& spot, const std::vector<std::string>& now,
                                 const std::vector<std::string>& later,
                                 const std::string& later_why, Reading& reading) {
  const std::string* text = reading.Scalar(spot);
  if (text == nullptr) return std::nullopt;
  const auto found = std::find(now.begin(), now.end(), *text);
  if (found != now.end()) return found - now.begin();
  if (std::find(later.begin(), later.end(), *text) != later.end()) {
    reading.Error(spot, Quoted(*text) + " is not in this version",
                  later_why + "; use " + Listed(now));
    return std::nullopt;
  }
  const std::string nearest = base::Nearest(*text, now);
  reading.Error(spot, "must be " + Listed(now) + ", not " + Quoted(*text),
                nearest.empty() ? "choose one of them" : "did you mean `" + nearest + "`?");
  return std::nullopt;
}

Json DurationSchema() {
  return {{"type", "string"},
          {"pattern", "^([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$"},
          {"minLength", 2}};
}

Json SizeSchema() {
  return {{"type", {"string", "integer"}},
          {"pattern", "^[0-9]+(B|KB|MB|GB|KiB|MiB|GiB)?$"},
          {"minimum", 0}};
}

// A plain 1.0 is a text to the reader and a number to an editor.
Json TextSchema() { return {{"type", {"string", "number", "boolean"}}, {"minLength", 1}}; }

Json TextsSchema() { return {{"type", {"array", "null"}}, {"items", TextSchema()}}; }

Json TopicNameSchema() {
  Json schema = TextSchema();
  schema["pattern"] = "^[A-Za-z0-9._-]{1,249}$";
  schema["not"] = {{"type", "string"}, {"pattern", "^(__|\\.{1,2}$)"}};
  return schema;
}

Json BrokerSchema() {
  Json schema = TextSchema();
  schema["pattern"] = "^(\\[[0-9a-fA-F:.]+\\]|[A-Za-z0-9_][A-Za-z0-9._-]*)(:[0-9]{1,5})?$";
  return schema;
}

Json PrintableSchema() { return {{"pattern", "^[^\\x00-\\x1f\\x7f]+$"}}; }

Json ListenSchema() {
  return {{"type", "string"}, {"pattern", "^(\\[[0-9a-fA-F:.]+\\]|[0-9.]+|localhost):[0-9]{1,5}$"}};
}

}  // namespace outrigger::config
