// One round of fuzzing the JSON edge: reads `bytes` as an envelope, a structured event, a batch and
// a schema's data, and aborts when an invariant breaks.
//
// Shared by the libFuzzer entry (tests/fuzz/event_json.cc) and the replay among the unit tests.
#pragma once

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "event/cloudevents.h"
#include "event/data.h"
#include "event/defaults.h"
#include "event/json.h"
#include "event/json_grammar.h"
#include "event/json_scan.h"
#include "event/json_schema.h"
#include "event/json_tree.h"
#include "event/match.h"
#include "event/path.h"

namespace outrigger::event {

inline void Hold(bool invariant) {
  if (!invariant) std::abort();
}

// Strict JSON, by both of our judges and by nlohmann, which only can't hold numbers beyond double.
inline void HoldJson(JsonReader& json, std::string_view text) {
  Hold(json.Check(text).has_value());
  Hold(JsonGrammarProblem(text, 128).empty());
  if (nlohmann::json::accept(text)) return;
  try {
    const auto parsed = nlohmann::json::parse(text);
    Hold(false);
  } catch (const nlohmann::json::out_of_range&) {
  } catch (const nlohmann::json::exception&) {
    Hold(false);
  }
}

inline bool IsInside(std::string_view part, std::string_view whole) {
  return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

// What rules do with an event: reading by path, defaults, both bindings.
inline void FuzzEvent(JsonReader& json, const Event& event) {
  if (event.data && event.data_is_json) {
    HoldJson(json, *event.data);
    for (const char* path : {"version", "a", "a.b", "userId", "data.a.b"}) {
      Data data(event);
      const auto once = data.At(SplitPath(path));
      const auto again = data.At(SplitPath(path));
      Hold(once.has_value() == again.has_value());
      if (once) Hold(once->kind == again->kind && once->text == again->text);
    }
    auto stamped = StampDefaults(*event.data, {{{"zz"}, "1"}, {{"a", "zz"}, "{}"}});
    if (stamped) {
      HoldJson(json, *stamped);
      // Taking the additions away gives the bytes that were.
      Hold(stamped->size() >= event.data->size());
    }
    if (JsonTree::Parse(*event.data)) {
      // What repeats no name can be read by any path.
      const JsonPath path{"a", "b"};
      Hold(JsonReader::Read(*event.data, std::span(&path, 1)).has_value());
    }
  }
  const Record binary = ToKafkaBinary(event);
  Hold(binary.value == event.data);
  const Record structured = ToKafkaStructured(event);
  // The data is one level deeper there than alone, so a depth of 128 may be passed.
  if (CheckAttributes(event) &&
      (!event.data_is_json || !event.data || JsonGrammarProblem(*event.data, 127).empty())) {
    const auto back = FromStructured(json, *structured.value);
    Hold(back.has_value());
    Hold(back->type == event.type && back->id == event.id);
    Hold(back->data.has_value() == event.data.has_value());
  }
}

inline void FuzzEventJson(std::string_view bytes) {
  JsonReader json;
  const bool strict = json.Check(bytes).has_value();
  if (strict) HoldJson(json, SkipMark(bytes));
  // Refused for its depth alone.
  if (!strict && nlohmann::json::accept(bytes))
    Hold(!JsonGrammarProblem(SkipMark(bytes), 128).empty());

  if (auto event = FromEnvelope(json, bytes)) {
    Hold(strict && !event->type.empty());
    if (event->data) Hold(bytes.find(*event->data) != bytes.npos);
    FuzzEvent(json, *event);
  }
  if (auto event = FromStructured(json, bytes)) {
    Hold(strict && !event->type.empty());
    if (event->data && event->data_is_json && bytes.find("base64") == bytes.npos &&
        bytes.find('\\') == bytes.npos)
      Hold(bytes.find(*event->data) != bytes.npos);
    FuzzEvent(json, *event);
  }
  if (auto items = SplitBatch(json, bytes)) {
    Hold(strict);
    const char* end = bytes.data();
    for (const auto item : *items) {
      Hold(IsInside(item, bytes) && item.data() >= end);
      end = item.data() + item.size();
      HoldJson(json, item);
      if (auto event = FromStructured(json, item)) FuzzEvent(json, *event);
    }
  }
  if (auto members = json.Members(bytes)) {
    for (const auto& member : *members) {
      Hold(IsInside(member.raw, bytes));
      Hold(JsonGrammarProblem(member.raw, 127).empty());
    }
  }
  // As a schema, and checked by itself: both end.
  std::vector<SchemaFault> faults;
  if (const auto schema = JsonSchema::Compile(bytes, {}, faults)) {
    const auto tree = JsonTree::Parse(bytes);
    Hold(strict && tree && faults.empty());
    Hold(schema->Check(*tree).violations.size() <= kMaxViolations);
  } else {
    Hold(!faults.empty());
  }

  // As a body and a header of binary mode, and as the text of a glob.
  const HttpField fields[] = {{"ce-type", bytes.substr(0, 20)}, {"content-type", "text/plain"}};
  if (auto event = FromHttpBinary(fields, std::string(bytes), false)) FuzzEvent(json, *event);
  Hold(GlobMatches("*", bytes));
}

}  // namespace outrigger::event
