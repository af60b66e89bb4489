// JSON Schemas of event data by type and version: files `<folder>/<type>/<version>.json`, drafts 4,
// 6 and 7.
//
// Everything that could break or stall validation is refused when loaded: circular or remote $ref,
// an unknown type, keywords of 2019-09 and later, a regular expression that RE2 refuses. Regular
// expressions run in RE2.
//
// Thread: Validate on one thread at a time. A loaded set never changes; a reload loads another.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/problem.h"
#include "event/json.h"

namespace outrigger::event {

struct Violation {
  std::string pointer;  // RFC 6901, into the data; "" is the data itself
  std::string message;
};

class SchemaSet {
 public:
  // Loads every schema under `folder`. Problems name the schema file and the JSON pointer inside
  // it; a set with problems must not be used. `place` is where the config names the folder.
  static std::shared_ptr<const SchemaSet> Load(const std::string& folder,
                                               const config::Place& place,
                                               std::vector<config::Problem>& problems);

  // What is wrong with `data` (strict JSON already) as `type` in `version`; empty: nothing. A type
  // without any file is unchecked; a type that has files but none for `version` has one violation
  // at /version.
  std::vector<Violation> Validate(const std::string& type, const std::string& version,
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
