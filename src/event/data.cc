#include "event/data.h"

#include "event/json_scan.h"

namespace outrigger::event {

base::Result<void> CheckJson(JsonReader& json, Event& event) {
  if (auto valid = json.Check(*event.data); !valid) return valid;
  if (const size_t mark = event.data->size() - SkipMark(*event.data).size(); mark > 0)
    event.data->erase(0, mark);
  return {};
}

base::Result<JsonValue> Data::At(const JsonPath& path) {
  const auto known = read_.find(path);
  if (known != read_.end()) return known->second;
  if (!broken_.empty()) return base::Fail(base::Error::Invalid(broken_));
  JsonValue value;
  if (event_.data && event_.data_is_json) {
    auto read = JsonReader::Read(*event_.data, std::span(&path, 1), repeats_);
    if (!read) return base::Fail(read.error());
    value = std::move(read->front());
  }
  read_.emplace(path, value);
  return value;
}

}  // namespace outrigger::event
