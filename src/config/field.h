// How the fields of the config file are described: once, by builders that take a struct's member.
// The walker, the defaults, the known names in hints and the JSON Schema all come from the
// description (fields.cc).
//
// A field's default is its member's initializer in config.h. Thread: descriptions are immutable
// once built.
#pragma once

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "config/config.h"
#include "config/reading.h"
#include "config/values.h"

namespace outrigger::config {

using Json = nlohmann::ordered_json;

template <class Owner>
struct Field {
  std::string name;  // in a Mapping's `open`: what the names start with, "header."
  Json schema;
  bool required = false;
  std::function<void(Owner&, const Spot&, Reading&)> read;
  // What is in force; null: nothing. Of an open field an object, by name. Absent: it is not shown.
  std::function<Json(const Owner&)> show = {};

  Field Required() && {
    required = true;
    return std::move(*this);
  }
  // Not shown.
  Field Secret() && {
    show = {};
    return std::move(*this);
  }
  // Adds to the schema of the value.
  Field Also(const Json& more) && {
    schema.update(more);
    return std::move(*this);
  }
};

// The parts that are the same for every owner.
void ReportUnknown(const Spot& mapping, const YamlNode::Entry& entry,
                   const std::vector<std::string>& known, Reading& reading);
// False after an error; an absent value is an empty mapping (list).
bool IsMapping(const Spot& spot, Reading& reading);
bool IsList(const Spot& spot, Reading& reading);

// The fields of one mapping.
template <class Owner>
struct Mapping {
  std::vector<Field<Owner>> fields;
  std::vector<Field<Owner>> open =
      {};  // names with a free ending, which the reader finds in Spot::name
  std::function<void(Owner&, const Spot&, Reading&)> check =
      {};                      // checks that involve several fields
  Json also = Json::object();  // … and their counterpart in the schema

  void Read(Owner& owner, const Spot& spot, Reading& reading) const {
    if (!IsMapping(spot, reading)) return;
    for (const auto& entry : spot.value.entries) ReadEntry(owner, spot, entry, reading);
    for (const auto& field : fields)
      if (field.required && !spot.Has(field.name))
        reading.Error(spot.At(field.name), "is missing", "add `" + field.name + ":` here");
    if (check) check(owner, spot, reading);
  }

  // All fields that have a value, but for that of one name.
  Json Show(const Owner& owner, const std::string& without = {}) const {
    Json shown = Json::object();
    for (const auto& field : fields) {
      if (!field.show || field.name == without) continue;
      if (Json value = field.show(owner); !value.is_null()) shown[field.name] = std::move(value);
    }
    for (const auto& field : open)
      if (field.show) shown.update(field.show(owner));
    return shown;
  }

  // `http:` with every line below it commented out is a mapping without fields: null.
  Json Schema() const {
    const auto required = [](const auto& field) { return field.required; };
    const bool may_be_empty = std::none_of(fields.begin(), fields.end(), required);
    Json schema = {{"type", may_be_empty ? Json{"object", "null"} : Json("object")}};
    for (const auto& field : fields)
      if (!field.schema.is_null()) schema["properties"][field.name] = field.schema;
    for (const auto& field : open) schema["patternProperties"][Pattern(field.name)] = field.schema;
    schema["additionalProperties"] = false;
    for (const auto& field : fields)
      if (field.required) schema["required"].push_back(field.name);
    schema.update(also);
    return schema;
  }

 private:
  static std::string Pattern(const std::string& prefix) {
    return prefix.empty() ? "^.+$" : "^" + prefix.substr(0, prefix.size() - 1) + "\\..+$";
  }

  void ReadEntry(Owner& owner, const Spot& spot, const YamlNode::Entry& entry,
                 Reading& reading) const {
    const auto below = [&] {
      return Spot{*entry.value, entry.line, entry.column,
                  spot.path.empty() ? entry.name : spot.path + "." + entry.name, entry.name};
    };
    for (const auto& field : fields)
      if (field.name == entry.name) return field.read(owner, below(), reading);
    for (const auto& field : open)
      if (entry.name.size() > field.name.size() && entry.name.starts_with(field.name))
        return field.read(owner, below(), reading);
    std::vector<std::string> known;
    for (const auto& field : fields) known.push_back(field.name);
    for (const auto& field : open) known.push_back(field.name + "<name>");
    ReportUnknown(spot, entry, known, reading);
  }
};

template <class Owner>
Field<Owner> MakeField(std::string name, std::string doc, Json schema,
                       std::function<void(Owner&, const Spot&, Reading&)> read,
                       std::function<Json(const Owner&)> show = {}) {
  schema["description"] = std::move(doc);
  return {std::move(name), std::move(schema), false, std::move(read), std::move(show)};
}

// Values as the file would have them; a number of 64 bits is a size. Null: there is none.
Json Shown(bool value);
Json Shown(uint32_t value);
Json Shown(uint64_t value);
Json Shown(double value);
Json Shown(Millis value);
Json Shown(const std::string& value);
Json Shown(const std::vector<std::string>& values);
Json Shown(const Text& value);
Json Shown(const std::optional<Text>& value);
Json Shown(const std::vector<Text>& values);
Json Shown(const std::optional<Rate>& value);
Json Shown(const std::optional<AppHealth>& value);
Json Shown(const StartFrom& value);

// A field whose value is one scalar. `parse` gives the value or reports what is wrong.
template <class Owner, class Member, class Parse>
Field<Owner> ScalarField(std::string name, Member Owner::*member, std::string doc, Json schema,
                         Parse parse) {
  return MakeField<Owner>(
      std::move(name), std::move(doc), std::move(schema),
      [member, parse](Owner& owner, const Spot& spot, Reading& reading) {
        parse(owner.*member, spot, reading);
      },
      [member](const Owner& owner) { return Shown(owner.*member); });
}

// ---- kinds; defined for their member types in field.cc
bool ReadBoolean(bool& value, const Spot& spot, Reading& reading);
bool ReadWhole(uint64_t& value, const Spot& spot, uint64_t least, uint64_t most, Reading& reading);
bool ReadDuration(Millis& value, const Spot& spot, Millis least, Millis most, Reading& reading);
bool ReadSize(uint64_t& value, const Spot& spot, uint64_t least, uint64_t most, Reading& reading);
bool ReadNumber(double& value, const Spot& spot, double above, double most, Reading& reading);
bool ReadTexts(std::vector<std::string>& values, const Spot& spot, Reading& reading);
bool ReadFile(std::string& value, const Spot& spot, Reading& reading);

Json DurationSchema();
Json SizeSchema();
Json TextSchema();
Json TextsSchema();

template <class Owner>
Field<Owner> Boolean(std::string name, bool Owner::*member, std::string doc) {
  return ScalarField(std::move(name), member, std::move(doc),
                     {{"type", "boolean"}, {"default", Owner{}.*member}}, ReadBoolean);
}

template <class Owner>
Field<Owner> Whole(std::string name, uint32_t Owner::*member, uint32_t least, uint32_t most,
                   std::string doc) {
  return ScalarField(
      std::move(name), member, std::move(doc),
      {{"type", "integer"}, {"minimum", least}, {"maximum", most}, {"default", Owner{}.*member}},
      [least, most](uint32_t& value, const Spot& spot, Reading& reading) {
        uint64_t read = value;
        if (ReadWhole(read, spot, least, most, reading)) value = static_cast<uint32_t>(read);
      });
}

template <class Owner>
Field<Owner> Number(std::string name, double Owner::*member, double above, double most,
                    std::string doc) {
  return ScalarField(std::move(name), member, std::move(doc),
                     {{"type", "number"}, {"exclusiveMinimum", above}, {"maximum", most}},
                     [above, most](double& value, const Spot& spot, Reading& reading) {
                       ReadNumber(value, spot, above, most, reading);
                     });
}

template <class Owner>
Field<Owner> Duration(std::string name, Millis Owner::*member, Millis least, Millis most,
                      std::string doc) {
  Json schema = DurationSchema();
  schema["default"] = ShowDuration(Owner{}.*member);
  return ScalarField(std::move(name), member, std::move(doc), std::move(schema),
                     [least, most](Millis& value, const Spot& spot, Reading& reading) {
                       ReadDuration(value, spot, least, most, reading);
                     });
}

template <class Owner>
Field<Owner> Size(std::string name, uint64_t Owner::*member, uint64_t least, uint64_t most,
                  std::string doc) {
  Json schema = SizeSchema();
  schema["default"] = ShowSize(Owner{}.*member);
  return ScalarField(std::move(name), member, std::move(doc), std::move(schema),
                     [least, most](uint64_t& value, const Spot& spot, Reading& reading) {
                       ReadSize(value, spot, least, most, reading);
                     });
}

// Names and addresses as far as a schema can describe them. Beyond that `check` needs arithmetic
// (the range of a port), the disk or another field. RE2 reads the patterns, too: no look-ahead.
Json TopicNameSchema();
Json BrokerSchema();
Json ListenSchema();
Json PrintableSchema();

// A text that is checked by `check` (nothing, or what is wrong); "" is no value.
using TextCheck = std::function<std::optional<base::Error>(const std::string&)>;
bool ReadText(std::string& value, const Spot& spot, const TextCheck& check, Reading& reading);

template <class Owner>
Field<Owner> TextField(std::string name, std::string Owner::*member, std::string doc,
                       TextCheck check = {}) {
  Json schema = TextSchema();
  if (const std::string given = Owner{}.*member; !given.empty()) schema["default"] = given;
  return ScalarField(std::move(name), member, std::move(doc), std::move(schema),
                     [check](std::string& value, const Spot& spot, Reading& reading) {
                       ReadText(value, spot, check, reading);
                     });
}

// A file that must exist and be readable; relative to the config file.
template <class Owner>
Field<Owner> FileField(std::string name, std::string Owner::*member, std::string doc) {
  return ScalarField(std::move(name), member, std::move(doc), TextSchema(), ReadFile);
}

template <class Owner>
Field<Owner> Texts(std::string name, std::vector<std::string> Owner::*member, std::string doc) {
  Json schema = TextsSchema();
  schema["default"] = Owner{}.*member;
  return ScalarField(std::move(name), member, std::move(doc), std::move(schema), ReadTexts);
}

// One of a few words. `later`: the words that are known but not in this version.
template <class Value>
struct Choices {
  std::vector<std::pair<std::string, Value>> now;
  std::vector<std::string> later = {};
  std::string later_why = {};

  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& [name, value] : now) names.push_back(name);
    return names;
  }
};
// Words whose value is the word itself.
Choices<std::string> Words(const std::vector<std::string>& words);

// The index of the word among `now`; nothing after an error.
std::optional<size_t> ReadChoice(const Spot& spot, const std::vector<std::string>& now,
                                 const std::vector<std::string>& later,
                                 const std::string& later_why, Reading& reading);

template <class Owner, class Value>
Field<Owner> Choice(std::string name, Value Owner::*member, Choices<Value> choices,
                    std::string doc) {
  Json schema = {{"enum", choices.names()}};
  for (const auto& [word, value] : choices.now)
    if (value == Owner{}.*member) schema["default"] = word;
  return MakeField<Owner>(
      std::move(name), std::move(doc), std::move(schema),
      [member, choices](Owner& owner, const Spot& spot, Reading& reading) {
        const auto at =
            ReadChoice(spot, choices.names(), choices.later, choices.later_why, reading);
        if (at) owner.*member = choices.now[*at].second;
      },
      [member, choices](const Owner& owner) {
        for (const auto& [word, value] : choices.now)
          if (value == owner.*member) return Json(word);
        return Json();
      });
}

// A mapping in a member of its own, or (Group) one whose fields are the owner's.
template <class Owner, class Member>
Field<Owner> Object(std::string name, Member Owner::*member, std::string doc,
                    const Mapping<Member>& mapping) {
  Json schema = mapping.Schema();
  return MakeField<Owner>(
      std::move(name), std::move(doc), std::move(schema),
      [member, mapping](Owner& owner, const Spot& spot, Reading& reading) {
        mapping.Read(owner.*member, spot, reading);
      },
      [member, mapping](const Owner& owner) { return mapping.Show(owner.*member); });
}

template <class Owner>
Field<Owner> Group(std::string name, std::string doc, const Mapping<Owner>& mapping) {
  Json schema = mapping.Schema();
  return MakeField<Owner>(
      std::move(name), std::move(doc), std::move(schema),
      [mapping](Owner& owner, const Spot& spot, Reading& reading) {
        mapping.Read(owner, spot, reading);
      },
      [mapping](const Owner& owner) { return mapping.Show(owner); });
}

template <class Owner, class Member>
Field<Owner> Objects(std::string name, std::vector<Member> Owner::*member, std::string doc,
                     const Mapping<Member>& mapping) {
  Json schema = {{"type", {"array", "null"}}, {"items", mapping.Schema()}};
  return MakeField<Owner>(
      std::move(name), std::move(doc), std::move(schema),
      [member, mapping](Owner& owner, const Spot& spot, Reading& reading) {
        if (!IsList(spot, reading)) return;
        auto& values = owner.*member;
        values.reserve(spot.value.items.size());
        for (const YamlNode* item : spot.value.items) {
          const Spot at{*item, item->line, item->column,
                        spot.path + "[" + std::to_string(values.size()) + "]"};
          mapping.Read(values.emplace_back(), at, reading);
        }
      },
      [member, mapping](const Owner& owner) {
        Json shown = Json::array();
        for (const auto& value : owner.*member) shown.push_back(mapping.Show(value));
        return shown;
      });
}

// A field of a later version: an error when it is used, and not part of the schema.
template <class Owner>
Field<Owner> Later(std::string name) {
  return {std::move(name), Json(), false, [](Owner&, const Spot& spot, Reading& reading) {
            reading.Error(spot, "not in this version",
                          "remove it; `outrigger schema` lists the fields of this version");
          }};
}

// Every field of the file.
const Mapping<Config>& SidecarFields();

// Its parts, each in a source of its own.
Field<Config> KafkaField();
Field<Config> HttpField();
Field<Config> SpoolField();
Field<Config> OpsField();
Field<Config> MemoryField();
Field<Config> RoutesField();
Field<Config> SubscriptionsField();
Mapping<Match> MatchFields();  // of routes[].match and subscriptions[].match

// Checks of the whole config: the spool and what relies on it, the names of groups, and whether two
// subscriptions share one.
void CheckSpool(const Config& config, const Spot& spot, Reading& reading);
Json SpoolSchema();  // as much of it as a schema can say
void FinishSubscriptions(Config& config, Reading& reading);
void CheckMemory(const Config& config, Reading& reading);
void CheckDeadLetterLoops(const std::vector<Subscription>& subscriptions, Reading& reading);

}  // namespace outrigger::config
