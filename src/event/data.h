// The data of an event as routes see it: values by path, each read at most once and only when it is
// needed.
//
// The event's data, where it says that it is JSON, has passed JsonReader::Check.
// Thread: the flow's. Lifetime: of the routing of one event; the event outlives it.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "event/event.h"
#include "event/json.h"

namespace outrigger::event {

// Checks data that says that it is JSON. A byte order mark goes: JSON is sent without one (RFC
// 8259, section 8.1).
base::Result<void> CheckJson(JsonReader& json, Event& event);

class Data {
 public:
  explicit Data(const Event& event) : event_(event) {}
  // Of a consumed event: what others wrote is read as every JSON parser does. `broken`, where it is
  // not empty, says why the data, which says that it is JSON, can't be read.
  static Data Consumed(const Event& event, std::string broken) {
    Data data(event);
    data.repeats_ = JsonReader::Repeats::kLast;
    data.broken_ = std::move(broken);
    return data;
  }

  // The value at `path`. Kind::kAbsent when there is none or the data is not a JSON object.
  base::Result<JsonValue> At(const JsonPath& path);

 private:
  const Event& event_;
  JsonReader::Repeats repeats_ = JsonReader::Repeats::kError;
  std::string broken_;
  std::map<JsonPath, JsonValue> read_;
};

}  // namespace outrigger::event
