// Validating the 300-byte event's data against a schema of ordinary size.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "event/schema.h"
#include "event_text.h"

namespace outrigger::bench {
namespace {

constexpr const char* kSchema = R"({
  "$schema": "http://json-schema.org/draft-07/schema#",
  "type": "object",
  "required": ["userId", "email", "plan", "registeredAt"],
  "properties": {
    "userId": {"type": "string", "pattern": "^user-[0-9]{7}$"},
    "email": {"type": "string", "format": "email"},
    "plan": {"enum": ["trial", "paid"]},
    "locale": {"type": "string", "maxLength": 16},
    "bandScore": {"type": "number", "minimum": 0, "maximum": 9},
    "registeredAt": {"type": "string", "format": "date-time"},
    "skills": {"type": "array", "items": {"type": "string"}, "maxItems": 4},
    "note": {"type": "string"}
  }
})";

// A folder with one schema, gone at the end of scope.
class SchemaFolder {
 public:
  explicit SchemaFolder(const std::string& type) {
    std::string name = std::filesystem::temp_directory_path() / "outrigger-bench-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) return;
    path_ = name;
    std::filesystem::create_directories(path_ / type);
    std::ofstream(path_ / type / "1.0.json") << kSchema;
  }
  ~SchemaFolder() { std::filesystem::remove_all(path_); }
  SchemaFolder(const SchemaFolder&) = delete;
  SchemaFolder& operator=(const SchemaFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

void ValidateData(benchmark::State& state) {
  const std::string type = "user.registered";
  const SchemaFolder folder(type);
  std::vector<config::Problem> problems;
  const auto schemas = event::SchemaSet::Load(folder.path(), {}, problems);
  if (config::HasErrors(problems)) return state.SkipWithError(problems.front().text().c_str());
  if (schemas->FileFor(type, "1.0").empty()) return state.SkipWithError("the schema is not found");
  const std::string data = DataText(type, KeyText(7));
  for (auto _ : state) {
    auto verdict = schemas->Validate(type, "1.0", data);
    if (!verdict || !verdict->violations.empty())
      return state.SkipWithError("the data does not fit the schema");
    benchmark::DoNotOptimize(verdict);
  }
}
BENCHMARK(ValidateData);

}  // namespace
}  // namespace outrigger::bench
