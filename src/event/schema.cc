#include "event/schema.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "config/schema_files.h"
#include "event/json_schema.h"
#include "event/json_tree.h"

namespace outrigger::event {
namespace {

namespace fs = std::filesystem;
using config::Problem;

struct Schema {
  std::string file;
  std::unique_ptr<const JsonSchema> compiled;
};

base::Result<std::string> ReadText(const fs::path& file) {
  std::ifstream in(file);
  std::stringstream text;
  text << in.rdbuf();
  if (!in) return base::Fail(base::Error::Invalid("the file can't be read"));
  return text.str();
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
  const auto text = ReadText(file);
  if (!text) return wrong("", text.error().message, text.error().hint);
  std::vector<SchemaFault> faults;
  auto compiled = JsonSchema::Compile(*text, {}, faults);
  for (const auto& fault : faults) wrong(fault.pointer, fault.message, fault.hint);
  if (compiled)
    by_type[type][version] = std::make_unique<Schema>(Schema{file.string(), std::move(compiled)});
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
                          "the file is not where a schema must be",
                          "schemas are at <folder>/<type>/<version>.json"});
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

base::Result<SchemaVerdict> SchemaSet::Validate(const std::string& type, const std::string& version,
                                                std::string_view data) const {
  bool type_known = false;
  const Schema* schema = schemas_->Find(type, version, type_known);
  if (!type_known) return SchemaVerdict{};
  const auto tree = JsonTree::Parse(data);
  if (!tree) return base::Fail(tree.error());
  if (schema) return schema->compiled->Check(*tree);
  std::string versions;
  for (const auto& [known, ignored] : schemas_->by_type.at(type))
    versions += (versions.empty() ? "" : ", ") + known;
  return SchemaVerdict{
      {{"/version", "there is no schema of " + type + " in version " + Excerpt(version) +
                        "; there is " + Excerpt(versions, 200)}},
      false};
}

}  // namespace outrigger::event
