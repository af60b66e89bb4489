// A JSON Schema of draft 4, 6, 7, 2019-09 or 2020-12, compiled once and checked against many texts.
//
// A check costs at most kMaxSchemaSteps and tells at most kMaxViolations; regular expressions run
// in RE2. What could only fail later is refused when compiled: references that lead nowhere, out of
// the schema, or back without looking at something smaller; forms of keywords; regular expressions
// that RE2 does not take; keywords of another draft and formats that would not be checked.
//
// Never changes once compiled; any thread may check.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "event/json_tree.h"
#include "event/schema_keyword.h"
#include "event/schema_run.h"

namespace outrigger::event {

struct SchemaFault {
  std::string pointer;  // RFC 6901, into the schema
  std::string message;
  std::string hint;
};

class JsonSchema {
 public:
  struct Options {
    // Documents that references may lead to, by URI.
    std::map<std::string, std::string> documents;
    Draft draft = Draft::k7;  // of a schema that has no $schema
    // False is what the specification says of everybody: `format` is not checked, unknown keywords
    // and formats are ignored.
    bool strict = true;
  };

  // Null, and at least one fault, where it can't be used.
  static std::unique_ptr<const JsonSchema> Compile(std::string_view text, const Options& options,
                                                   std::vector<SchemaFault>& faults);
  ~JsonSchema();

  SchemaVerdict Check(const JsonTree& data) const;

 private:
  class Compiler;
  struct Parts;
  explicit JsonSchema(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

}  // namespace outrigger::event
