#include "event/schema_keyword.h"

#include "event/json_number.h"

namespace outrigger::event {
namespace {

bool CheckAll(const std::vector<std::unique_ptr<Keyword>>& keywords, JsonNode value, SchemaRun& run,
              Evaluated* seen) {
  bool fits = true;
  for (const auto& keyword : keywords) {
    if (!run.Step()) return false;
    if (keyword->Check(value, run, seen)) continue;
    fits = false;
    if (run.Done()) break;
  }
  return fits;
}

}  // namespace

bool Subschema::Check(JsonNode value, SchemaRun& run, Evaluated* seen) const {
  if (nothing) return run.Fail([] { return "the schema allows nothing here"; });
  if (keywords.empty() && last.empty()) return true;
  const SchemaRun::Inside inside(run, resource);
  if (!run.Step()) return false;
  if (last.empty()) return CheckAll(keywords, value, run, seen);
  if (!run.Step(value.size() / 32)) return false;
  Evaluated mine(value.size());
  // A value that does not match has evaluated nothing, and its errors would be reported twice.
  if (!CheckAll(keywords, value, run, &mine) || !CheckAll(last, value, run, &mine)) return false;
  if (seen) seen->Add(mine);
  return true;
}

bool Subschema::CheckBelow(JsonNode parent, size_t index, SchemaRun& run) const {
  const SchemaRun::Below below(run, parent, index);
  return Check(parent[index], run, nullptr);
}

bool Subschema::Fits(JsonNode value, SchemaRun& run, Evaluated* seen) const {
  const SchemaRun::Quiet quiet(run);
  return Check(value, run, seen);
}

bool KeywordBuilder::Expect(JsonNode value, JsonKind kind) {
  if (value.kind() == kind) return true;
  Fault(value, "\"" + std::string(value.name()) + "\" must be " + std::string(Describe(kind)) +
                   ", and is " + std::string(Describe(value.kind())));
  return false;
}

std::vector<const Subschema*> KeywordBuilder::CompileItems(JsonNode array) {
  std::vector<const Subschema*> all;
  if (!Expect(array, JsonKind::kArray)) return all;
  for (size_t i = 0; i < array.size(); ++i) all.push_back(Compile(array[i]));
  return all;
}

std::vector<std::pair<std::string_view, const Subschema*>> KeywordBuilder::CompileMembers(
    JsonNode object) {
  std::vector<std::pair<std::string_view, const Subschema*>> all;
  if (!Expect(object, JsonKind::kObject)) return all;
  for (size_t i = 0; i < object.size(); ++i) all.emplace_back(object[i].name(), Compile(object[i]));
  return all;
}

size_t KeywordBuilder::Size(JsonNode value) {
  if (value.kind() == JsonKind::kNumber)
    if (const auto size = JsonNumber(value.text()).ToSize()) return *size;
  Fault(value, "\"" + std::string(value.name()) + "\" must be an integer from 0 on");
  return 0;
}

std::vector<std::string_view> KeywordBuilder::Names(JsonNode array) {
  std::vector<std::string_view> names;
  if (array.kind() != JsonKind::kArray) {
    Fault(array, "\"" + std::string(array.name()) + "\" must be an array of names");
    return names;
  }
  for (size_t i = 0; i < array.size(); ++i) {
    if (array[i].kind() != JsonKind::kString) {
      Fault(array[i], "the name of a property must be a string");
    } else {
      names.push_back(array[i].text());
    }
  }
  return names;
}

Regex KeywordBuilder::CompileRegex(JsonNode at, std::string_view pattern) {
  Regex regex(pattern);
  const std::string shown = "the regular expression \"" + Excerpt(pattern) + "\"";
  if (const std::string problem = regex.Problem(); !problem.empty()) {
    Fault(at, shown + " is refused: " + problem, "RE2 has no look-around and no back references");
  } else if (strict() && RepeatsRepetition(pattern)) {
    // RE2 needs linear time for every expression. Nested repetition is refused all the same,
    // because other validators of the schema would stall on it.
    Fault(at, shown + " repeats a repetition",
          "it takes exponential time in most validators; write (a+)+ as a+");
  }
  return regex;
}

}  // namespace outrigger::event
