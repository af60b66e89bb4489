#include "event/defaults.h"

#include <span>

#include "base/json_text.h"
#include "event/json_scan.h"

namespace outrigger::event {
namespace {

// The raw object at `path` without its last name, as a view into `data`; empty when there is none.
std::string_view ParentOf(std::string_view data, const JsonPath& path) {
  std::string_view object = TrimJson(data);
  for (size_t level = 0; level + 1 < path.size() && !object.empty(); ++level) {
    if (object.front() != '{') return {};
    std::string_view below;
    ForEachMember(object, [&](std::string_view name, std::string_view raw) {
      if (NameIs(name, path[level])) below = raw;
      return below.empty();
    });
    object = below;
  }
  return !object.empty() && object.front() == '{' ? object : std::string_view();
}

}  // namespace

base::Result<std::string> StampDefaults(
    std::string data, const std::vector<std::pair<JsonPath, std::string>>& values) {
  for (const auto& [path, json] : values) {
    auto present = JsonReader::Read(data, std::span(&path, 1));
    if (!present) return base::Fail(present.error());
    if (present->front().kind != JsonValue::Kind::kAbsent) continue;
    const std::string_view parent = ParentOf(data, path);
    if (parent.empty()) continue;
    const bool empty = TrimJson(parent.substr(1, parent.size() - 2)).empty();
    const size_t before_brace =
        static_cast<size_t>(parent.data() - data.data()) + parent.size() - 1;
    data.insert(before_brace, (empty ? "" : ",") + base::JsonString(path.back()) + ":" + json);
  }
  return data;
}

}  // namespace outrigger::event
