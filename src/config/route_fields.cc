#include <algorithm>
#include <array>
#include <cctype>
#include <unordered_map>

#include "base/ascii.h"
#include "config/field.h"

namespace outrigger::config {
namespace {

using Named = std::vector<std::pair<std::string, Text>>;

// By the names that the file has.
std::function<Json(const Named&)> ShowBelow(const std::string& prefix) {
  return [prefix](const Named& values) {
    Json shown = Json::object();
    for (const auto& [name, text] : values) shown[prefix + name] = text.value;
    return shown;
  };
}

void ReadOptional(std::optional<Text>& value, const Spot& spot, Reading& reading) {
  if (reading.Filled(spot) != nullptr) value = reading.TextOf(spot);
}

// ---- match

Field<Match> Glob(std::string name, std::optional<Text> Match::*member, std::string doc) {
  return ScalarField(std::move(name), member, std::move(doc), TextSchema(), ReadOptional);
}

Field<Match> GlobsBelow(const std::string& prefix, Named Match::*member, std::string doc) {
  return MakeField<Match>(
      prefix, std::move(doc), TextSchema(),
      [member, cut = prefix.size()](Match& match, const Spot& spot, Reading& reading) {
        if (reading.Filled(spot) != nullptr)
          (match.*member).emplace_back(spot.name.substr(cut), reading.TextOf(spot));
      },
      [member, show = ShowBelow(prefix)](const Match& match) { return show(match.*member); });
}

// ---- topic and headers

// What a template writes between its places is known now; what the places give is checked when an
// event comes. (`{{` writes a brace, which no topic has.)
std::string WithoutPlaces(const std::string& text) {
  std::string rest;
  for (size_t at = 0; at < text.size(); ++at) {
    const size_t end = text.find('}', at);
    const bool place = text[at] == '{' && end != text.npos && text.find('{', at + 1) > end;
    if (place) at = end;
    rest += place ? '_' : text[at];
  }
  return rest;
}

void ReadTopic(Text& value, const Spot& spot, Reading& reading) {
  const std::string* text = reading.Filled(spot);
  if (text == nullptr) return;
  value = reading.TextOf(spot);
  const bool reserved = text->starts_with("__");
  if (const auto wrong = CheckTopicName(reserved ? *text : "t" + WithoutPlaces(*text)))
    reading.Error(spot, reserved ? *wrong : CheckTopicName(*text).value_or(*wrong));
}

Json TopicSchema() {
  Json schema = TopicNameSchema();
  schema["pattern"] = "^(\\{[^{}]+\\}|[A-Za-z0-9._-])+$";
  return schema;
}

std::optional<base::Error> CheckDeadLetter(const std::string& text) { return CheckTopicName(text); }

void ReadHeader(Named& headers, const Spot& spot, Reading& reading) {
  const std::string* text = reading.Scalar(spot);
  const std::string name = base::LowerAscii(spot.name);
  for (const std::string_view reserved : {"ce_", "outrigger-"})
    if (name.starts_with(reserved))
      reading.Error(spot, "headers named " + std::string(reserved) + "* are the sidecar's own",
                    "choose another name");
  if (name == "content-type")
    reading.Error(spot, "the content type is the data's own", "choose another name");
  if (text != nullptr) headers.emplace_back(spot.name, reading.TextOf(spot));
}

// ---- defaults

constexpr std::array<std::string_view, 2> kStamps = {"$now", "$id"};

bool IsStamp(std::string_view text) { return text == kStamps[0] || text == kStamps[1]; }

// `$nwo` would go out as that text; a price of `$5` is one.
bool LooksLikeStamp(std::string_view text) {
  return text.size() > 1 && text[0] == '$' && std::isalpha(static_cast<unsigned char>(text[1]));
}

std::string JsonText(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void AppendJson(const YamlNode& node, const Spot& spot, Reading& reading, std::string& out) {
  switch (node.kind) {
    case YamlNode::Kind::kNull:
      out += "null";
      return;
    case YamlNode::Kind::kText: {
      const bool word = node.text == "true" || node.text == "false";
      out += node.plain && (word || IsJsonNumber(node.text)) ? node.text : JsonText(node.text);
      if (LooksLikeStamp(node.text))
        reading.Error(
            spot,
            Quoted(node.text) + (IsStamp(node.text) ? " is inside a value" : " is not a stamp"),
            "`$now` and `$id` must be the whole value");
      return;
    }
    case YamlNode::Kind::kList:
    case YamlNode::Kind::kMapping:
      break;
  }
  const bool list = node.kind == YamlNode::Kind::kList;
  out += list ? '[' : '{';
  const char* comma = "";
  for (const YamlNode* item : node.items) {
    out += std::exchange(comma, ",");
    AppendJson(*item, spot, reading, out);
  }
  for (const auto& entry : node.entries) {
    out += std::exchange(comma, ",") + JsonText(entry.name) + ":";
    AppendJson(*entry.value, spot, reading, out);
  }
  out += list ? ']' : '}';
}

void ReadDefault(Named& defaults, const Spot& spot, Reading& reading) {
  Text value = reading.TextOf(spot);
  if (!IsStamp(value.value)) {
    value.value.clear();
    AppendJson(spot.value, spot, reading, value.value);
  }
  defaults.emplace_back(spot.name.substr(sizeof("data.") - 1), std::move(value));
}

// ---- the whole route

Field<Route> NamedField(std::string name, Named Route::*member, std::string doc,
                        const std::string& prefix, std::string entry_doc, Json schema,
                        std::function<void(Named&, const Spot&, Reading&)> read,
                        Json also = Json::object()) {
  Mapping<Named> mapping = {
      .fields = {},
      .open = {MakeField<Named>(prefix, std::move(entry_doc), std::move(schema), std::move(read),
                                ShowBelow(prefix))},
      .also = std::move(also)};
  return Object(std::move(name), member, std::move(doc), mapping);
}

void CheckRoute(Route& route, const Spot& spot, Reading& reading) {
  route.place = reading.PlaceOf(spot);
  route.path = spot.path;
  if (route.schemas) route.schemas->value = reading.Resolve(route.schemas->value);
  if (route.on_invalid == OnInvalid::kDeadLetter && route.dead_letter.empty())
    reading.Error(spot.At("onInvalid"), "needs `deadLetter`",
                  "name the topic that takes the invalid events");
  if (route.key_required && !route.key)
    reading.Warn(spot.At("keyRequired"), "is set without `key`: only the caller's own key counts",
                 "say where the key is, like `key: data.userId`");
}

Mapping<Route> RouteFields() {
  return {
      .fields =
          {
              Object("match", &Route::match,
                     "The events that this route takes; all lines must match. `*` is any run of "
                     "characters, dots included; `?` is one character; an absent part matches "
                     "nothing. Default: every event.",
                     MatchFields()),
              ScalarField("topic", &Route::topic,
                          "The topic: a name, or a template like `{data.tenantId}.user.events`.",
                          TopicSchema(), ReadTopic)
                  .Required(),
              ScalarField("key", &Route::key,
                          "Where the key is: `data.userId`, `subject`, `header.tenant`, "
                          "`extension.tenant`, or a template. Events with one key keep their "
                          "order. Where it is absent, and by default, it is the key of the caller.",
                          TextSchema(), ReadOptional),
              Boolean("keyRequired", &Route::key_required,
                      "true: an event without a key is answered 422; an empty key is none."),
              Boolean("continue", &Route::continues,
                      "true: the routes below are tried, too (fan-out)."),
              NamedField(
                  "headers", &Route::headers,
                  "Kafka headers to add, name: template, where the event has none of that name.",
                  "", "A template.", {{"type", {"string", "number", "boolean"}}}, ReadHeader,
                  {{"propertyNames",
                    {{"not", {{"pattern", "^(ce_.*|outrigger-.*|content-type)$"}}}}}}),
              ScalarField(
                  "schemas", &Route::schemas,
                  "A folder of JSON Schemas, `<type>/<version>.json`, relative to this file.",
                  TextSchema(), ReadOptional),
              Choice("onInvalid", &Route::on_invalid,
                     Choices<OnInvalid>{
                         {{"reject", OnInvalid::kReject}, {"deadLetter", OnInvalid::kDeadLetter}}},
                     "What happens to an event that its schema refuses. It is answered 422 in both "
                     "cases."),
              NamedField("defaults", &Route::defaults,
                         "Values for parts of the data that are absent.", "data.",
                         "A JSON value, or `$now` (the time) or `$id` (the event's id).",
                         Json::object(), ReadDefault),
              TextField("deadLetter", &Route::dead_letter,
                        "The topic for events that can't be published. They are still answered 422 "
                        "or 413.",
                        CheckDeadLetter)
                  .Also(TopicNameSchema()),
              Choice("mode", &Route::mode,
                     Choices<RecordMode>{{{"binary", RecordMode::kBinary},
                                          {"structured", RecordMode::kStructured}}},
                     "How a record holds the CloudEvent: attributes as headers, or one JSON "
                     "document."),
              TextField("version", &Route::version, "The version of events that have none."),
              Whole("maxTopics", &Route::max_topics, 1, 100000,
                    "How many topics a template may create."),
              Boolean("tombstones", &Route::tombstones,
                      "true: an event without data, or with the data `null`, is a null value, and "
                      "no schema checks it."),
              Choice("timestamp", &Route::timestamp,
                     Choices<RecordTime>{{{"now", RecordTime::kNow}, {"time", RecordTime::kEvent}}},
                     "The timestamp of the record, from which retention counts: when it is "
                     "published, or the `time` of the event."),
              Choice("ack", &Route::ack,
                     Choices<Ack>{
                         {{"kafka", Ack::kKafka}, {"disk", Ack::kDisk}, {"memory", Ack::kMemory}}},
                     "When an event is answered: when Kafka has acknowledged it, when it is in the "
                     "spool (`spool.path`), or when it is in memory and may be lost."),
          },
      .check = CheckRoute,
      .also = {{"if",
                {{"required", {"onInvalid"}},
                 {"properties", {{"onInvalid", {{"const", "deadLetter"}}}}}}},
               {"then", {{"required", {"deadLetter"}}}}}};
}

// ---- routes that can't be reached

std::string MatchKey(const Match& match) {
  std::vector<std::string> lines;
  const auto add = [&](std::string_view name, const Text& text) {
    lines.push_back(std::string(name) + '\n' + text.value + '\n');
  };
  if (match.type && match.type->value != "*") add("type", *match.type);
  if (match.source) add("source", *match.source);
  if (match.subject) add("subject", *match.subject);
  if (match.version) add("version", *match.version);
  for (const auto& [name, text] : match.headers) add("header." + name, text);
  for (const auto& [name, text] : match.extensions) add("extension." + name, text);
  for (const auto& [path, text] : match.data) add("data." + path, text);
  std::sort(lines.begin(), lines.end());
  std::string key;
  for (const auto& line : lines) key += line;
  return key;
}

void CheckHidden(const std::vector<Route>& routes, const Spot& spot, Reading& reading) {
  std::unordered_map<std::string, const Route*> taken;
  const Route* all = nullptr;
  for (size_t i = 0; i < routes.size(); ++i) {
    const Route& route = routes[i];
    const std::string key = MatchKey(route.match);
    const auto same = taken.find(key);
    const Route* hides = all ? all : same == taken.end() ? nullptr : same->second;
    if (hides != nullptr) {
      const YamlNode& item = *spot.value.items[i];
      reading.Warn({item, item.line, item.column, route.path},
                   "is never reached: " + hides->path + " on line " +
                       std::to_string(hides->place.line) +
                       (hides == all ? " takes every event" : " has the same match"),
                   "remove one, put this one first, or set `continue: true` there");
    } else if (!route.continues) {
      taken.emplace(key, &route);
      if (key.empty()) all = &route;
    }
  }
}

}  // namespace

Mapping<Match> MatchFields() {
  return {.fields =
              {
                  Glob("type", &Match::type, "A glob on the type: `user.*`."),
                  Glob("source", &Match::source, "A glob on the source."),
                  Glob("subject", &Match::subject, "A glob on the subject."),
                  Glob("version", &Match::version, "A glob on the version."),
              },
          .open = {
              GlobsBelow("header.", &Match::headers, "A glob on a Kafka header."),
              GlobsBelow("extension.", &Match::extensions,
                         "A glob on an extension attribute of the CloudEvent."),
              GlobsBelow("data.", &Match::data, "A glob on a value inside the data."),
          }};
}

Field<Config> RoutesField() {
  Field<Config> field =
      Objects("routes", &Config::routes,
              "Publishing rules; the first that matches takes an event. Without routes, the first "
              "word of the type names the topic: user.registered → user.events.",
              RouteFields());
  field.read = [read = std::move(field.read)](Config& config, const Spot& spot, Reading& reading) {
    read(config, spot, reading);
    if (config.routes.size() == spot.value.items.size()) CheckHidden(config.routes, spot, reading);
  };
  return field;
}

}  // namespace outrigger::config
