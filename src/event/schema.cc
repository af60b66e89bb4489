#include "event/schema.h"

#include <re2/re2.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include "config/schema_files.h"
#include "event/formats.h"
#include "event/schema_lint.h"

namespace outrigger::event {
namespace {

namespace fs = std::filesystem;
using config::Problem;
using nlohmann::json;

// A pattern that begins so stands for a format: valijson hands patterns to the engine below, and
// its own format checks run on std::regex, which takes 340 us for a date-time.
constexpr char kFormatMark = '\x01';

// What valijson asks for a pattern: RE2, whose time is linear, or one of our format checks.
class Pattern {
 public:
  explicit Pattern(const std::string& pattern) {
    if (!pattern.empty() && pattern.front() == kFormatMark) {
      format_ = pattern.substr(1);
      return;
    }
    RE2::Options options;
    options.set_log_errors(false);
    regex_ = std::make_shared<RE2>(pattern, options);
  }

  static bool search(const std::string& text, const Pattern& pattern) {
    if (!pattern.regex_) return HasFormat(text, pattern.format_);
    return RE2::PartialMatch(text, *pattern.regex_);
  }

 private:
  std::string format_;
  std::shared_ptr<RE2> regex_;
};

// Turns every "format" into the pattern that stands for it. A name under `properties` is no
// keyword, hence the two functions. References are followed, since they may lead anywhere in
// `root`; the lint has seen that they end.
void FormatsToPatterns(json& root, json& schema);

void EachToPatterns(json& root, json& schemas) {
  for (auto& schema : schemas) FormatsToPatterns(root, schema);
}

void FormatsToPatterns(json& root, json& schema) {
  if (!schema.is_object()) return;
  if (const auto reference = schema.find("$ref"); reference != schema.end())
    FormatsToPatterns(root, root.at(json::json_pointer(reference->get<std::string>().substr(1))));
  for (const char* name : {"properties", "patternProperties", "definitions", "dependencies",
                           "allOf", "anyOf", "oneOf"})
    if (schema.contains(name)) EachToPatterns(root, schema[name]);
  for (const char* name : {"additionalProperties", "additionalItems", "not", "if", "then", "else",
                           "contains", "propertyNames", "items"}) {
    if (!schema.contains(name)) continue;
    if (schema[name].is_array()) {
      EachToPatterns(root, schema[name]);
    } else {
      FormatsToPatterns(root, schema[name]);
    }
  }
  const auto format = schema.find("format");
  if (format == schema.end() || !format->is_string()) return;
  const std::string pattern = kFormatMark + format->get<std::string>();
  schema.erase(format);
  if (schema.contains("pattern")) {
    schema["allOf"].push_back({{"pattern", pattern}});
  } else {
    schema["pattern"] = pattern;
  }
}

// From draft 6 on 1.0 is an integer; the validator only takes what was parsed as one.
void WholeToIntegers(json& value) {
  if (value.is_structured()) {
    for (auto& below : value) WholeToIntegers(below);
  } else if (value.is_number_float()) {
    const double number = value.get<double>();
    // Up to 2^53 every double that is whole is exactly the integer.
    if (std::abs(number) <= 0x1p53 && std::trunc(number) == number)
      value = static_cast<int64_t>(number);
  }
}

// Sentences that only say that something below them is wrong, which has a sentence of its own.
bool OnlyPointsBelow(const std::string& description) {
  return description.rfind("Failed to validate against schema associated with property", 0) == 0 ||
         description.rfind("Failed to validate item", 0) == 0 ||
         description.rfind("Failed to validate against child schema", 0) == 0;
}

std::vector<Violation> Violations(valijson::ValidationResults& results) {
  std::vector<Violation> all, precise;
  valijson::ValidationResults::Error error;
  while (results.popError(error)) {
    Violation violation{error.jsonPointer, error.description};
    if (violation.message.find("'pattern' constraint") != std::string::npos)
      violation.message = "does not have the pattern or format that the schema asks for";
    if (!OnlyPointsBelow(error.description)) precise.push_back(violation);
    all.push_back(std::move(violation));
  }
  return precise.empty() ? all : precise;
}

struct Schema {
  std::string file;
  bool draft4 = false;
  valijson::Schema schema;
  // Keeps its compiled patterns from one validation to the next.
  mutable valijson::ValidatorT<Pattern> validator;
};

base::Result<json> ReadJson(const fs::path& file) {
  std::ifstream in(file);
  std::stringstream text;
  text << in.rdbuf();
  if (!in) return base::Fail(base::Error::Invalid("the file can't be read"));
  const std::string content = text.str();
  // Strict first: nlohmann would take what others refuse.
  JsonReader reader;
  if (auto valid = reader.Check(content); !valid) return base::Fail(valid.error());
  if (auto unique = JsonReader::CheckUnique(content); !unique) return base::Fail(unique.error());
  try {
    return json::parse(content);
  } catch (const json::exception& error) {
    return base::Fail(base::Error::Invalid(error.what()));
  }
}

}  // namespace

struct SchemaSet::Schemas {
  std::map<std::string, std::map<std::string, std::unique_ptr<Schema>>> by_type;

  void LoadFile(const fs::path& file, const std::string& type, const std::string& version,
                std::vector<Problem>& problems);
  const Schema* Find(const std::string& type, const std::string& version, bool& type_known) const;
};

void SchemaSet::Schemas::LoadFile(const fs::path& file, const std::string& type,
                                  const std::string& version, std::vector<Problem>& problems) {
  const auto wrong = [&](const std::string& pointer, std::string message, std::string hint) {
    problems.push_back({{file.string(), 0, 0},
                        pointer.empty() ? "" : "#" + pointer,
                        std::move(message),
                        std::move(hint)});
  };
  auto content = ReadJson(file);
  if (!content) return wrong("", content.error().message, content.error().hint);
  const auto faults = LintSchema(*content);
  for (const auto& fault : faults) wrong(fault.pointer, fault.message, fault.hint);
  if (!faults.empty()) return;
  auto schema = std::make_unique<Schema>();
  schema->file = file.string();
  try {
    FormatsToPatterns(*content, *content);
    schema->draft4 = IsDraft4(*content);
    valijson::SchemaParser parser(schema->draft4 ? valijson::SchemaParser::kDraft4
                                                 : valijson::SchemaParser::kDraft7);
    parser.populateSchema(valijson::adapters::NlohmannJsonAdapter(*content), schema->schema);
  } catch (const std::exception& error) {
    return wrong("", std::string("the schema is not usable: ") + error.what(), {});
  }
  by_type[type][version] = std::move(schema);
}

const Schema* SchemaSet::Schemas::Find(const std::string& type, const std::string& version,
                                       bool& type_known) const {
  const auto versions = by_type.find(type);
  type_known = versions != by_type.end();
  if (!type_known) return nullptr;
  const auto found = versions->second.find(version);
  return found == versions->second.end() ? nullptr : found->second.get();
}

SchemaSet::SchemaSet() : schemas_(std::make_unique<Schemas>()) {}
SchemaSet::~SchemaSet() = default;

std::shared_ptr<const SchemaSet> SchemaSet::Load(const std::string& folder,
                                                 const config::Place& place,
                                                 std::vector<Problem>& problems) {
  std::shared_ptr<SchemaSet> set(new SchemaSet());
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    problems.push_back({place, "", "the schema folder " + folder + " is not there",
                        "it holds <type>/<version>.json"});
    return set;
  }
  const config::SchemaFiles found = config::FindSchemaFiles(folder);
  if (found.error)
    problems.push_back({place, "",
                        "the schema folder " + folder + " can't be read: " + found.error.message(),
                        "every folder below it must be readable"});
  for (const auto& file : found.files) {
    // Not fs::relative: that follows links, and everything in a mounted ConfigMap is one.
    const fs::path relative = file.lexically_relative(folder);
    const auto depth = std::distance(relative.begin(), relative.end());
    if (depth == 2) {
      set->schemas_->LoadFile(file, relative.begin()->string(), file.stem().string(), problems);
    } else {
      problems.push_back({{file.string(), 0, 0},
                          "",
                          "the file is not where a schema stands",
                          "schemas stand at <folder>/<type>/<version>.json"});
    }
  }
  return set;
}

std::string SchemaSet::FileFor(const std::string& type, const std::string& version) const {
  bool type_known = false;
  const Schema* schema = schemas_->Find(type, version, type_known);
  return schema ? schema->file : std::string();
}

bool SchemaSet::Knows(const std::string& type) const { return schemas_->by_type.contains(type); }

std::vector<Violation> SchemaSet::Validate(const std::string& type, const std::string& version,
                                           std::string_view data) const {
  bool type_known = false;
  const Schema* schema = schemas_->Find(type, version, type_known);
  if (!type_known) return {};
  if (!schema) {
    std::string versions;
    for (const auto& [known, ignored] : schemas_->by_type.at(type))
      versions += (versions.empty() ? "" : ", ") + known;
    return {{"/version", "there is no schema of " + type + " in version " + version +
                             "; there is " + versions}};
  }
  try {
    json document = json::parse(data);
    if (!schema->draft4) WholeToIntegers(document);
    valijson::ValidationResults results;
    if (schema->validator.validate(schema->schema,
                                   valijson::adapters::NlohmannJsonAdapter(document), &results))
      return {};
    auto violations = Violations(results);
    if (violations.empty()) violations.push_back({"", "does not fit the schema"});
    return violations;
  } catch (const std::exception& error) {
    // Strict JSON that this parser can't hold: a number beyond every range.
    return {{"", std::string("can't be checked against the schema: ") + error.what()}};
  }
}

}  // namespace outrigger::event
