// JSON Schemas of event data by type and version: files `<folder>/<type>/<version>.json`, compiled
// once (json_schema.h).
//
// Thread: any. A loaded set never changes; a reload loads another.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/problem.h"
#include "event/schema_run.h"

namespace outrigger::event {

class SchemaSet {
 public:
  // Loads every schema under `folder`. Problems name the schema file and the JSON pointer inside
  // it; a set with problems must not be used. `place` is where the config names the folder.
  static std::shared_ptr<const SchemaSet> Load(const std::string& folder,
                                               const config::Place& place,
                                               std::vector<config::Problem>& problems);

  // What is wrong with `data` (strict JSON already) as `type` in `version`. A type without any file
  // is unchecked; a type that has files but none for `version` has one violation at /version. An
  // error: a name that appears twice in one object of the data, which schemas read whole.
  base::Result<SchemaVerdict> Validate(const std::string& type, const std::string& version,
                                       std::string_view data) const;

  // Whether `type` has a schema in any version.
  bool Knows(const std::string& type) const;

  // Which schema file would be used, or empty; for explain.
  std::string FileFor(const std::string& type, const std::string& version) const;

  ~SchemaSet();

 private:
  SchemaSet();
  struct Schemas;
  std::unique_ptr<Schemas> schemas_;
};

}  // namespace outrigger::event
