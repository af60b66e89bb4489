// What a schema is compiled to: for each subschema the checks that its keywords ask for.
//
// Never changes once compiled; checks of it may run on any thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "event/json_tree.h"
#include "event/regex.h"
#include "event/schema_run.h"

namespace outrigger::event {

struct Subschema;

enum class Draft { k4 = 4, k6 = 6, k7 = 7, k2019 = 8, k2020 = 9 };

class Keyword {
 public:
  Keyword() = default;
  Keyword(const Keyword&) = delete;
  Keyword& operator=(const Keyword&) = delete;
  virtual ~Keyword() = default;

  // Whether `value` fits; tells `run` what does not. Notes in `seen`, where somebody asks
  // (unevaluated…), the items and members that it checked.
  virtual bool Check(JsonNode value, SchemaRun& run, Evaluated* seen) const = 0;
  // The subschemas that it applies to the very value.
  virtual std::vector<const Subschema*> InPlace() const { return {}; }
};

// A document, or the part of one that has a $id of its own.
struct SchemaResource {
  SchemaResource(std::string its_uri, JsonNode its_root, Draft its_draft)
      : uri(std::move(its_uri)), root(its_root), draft(its_draft) {}

  std::string uri;
  JsonNode root;
  Draft draft;
  bool known_dialect = true;
  bool assertions = true;  // false: a dialect that only has applicators
  bool recursive_anchor = false;
  std::map<std::string, JsonNode, std::less<>> anchors;
  std::map<std::string, JsonNode, std::less<>> dynamic_anchors;
  // What the dynamic anchors, and "" where there is a recursive one, were compiled to.
  std::map<std::string, const Subschema*, std::less<>> dynamic;
};

struct Subschema {
  Subschema(JsonNode schema, const SchemaResource* owner) : source(schema), resource(owner) {}

  bool Check(JsonNode value, SchemaRun& run, Evaluated* seen) const;
  // The same for an item or a member of `parent`.
  bool CheckBelow(JsonNode parent, size_t index, SchemaRun& run) const;
  // The same without telling what is wrong.
  bool Fits(JsonNode value, SchemaRun& run, Evaluated* seen = nullptr) const;

  JsonNode source;
  const SchemaResource* resource;
  bool nothing = false;  // the schema `false`
  std::vector<std::unique_ptr<Keyword>> keywords;
  std::vector<std::unique_ptr<Keyword>> last;  // those that look at what the others left
};

// What the makers of keywords ask of the compiler.
class KeywordBuilder {
 public:
  virtual ~KeywordBuilder() = default;

  virtual Draft draft() const = 0;
  // Whether `format` is checked, and what nobody knows is refused.
  virtual bool strict() const = 0;
  virtual const Subschema* Compile(JsonNode schema) = 0;
  // The target of a reference; null where there is none, which was told.
  virtual const Subschema* Follow(JsonNode reference) = 0;
  virtual void Fault(JsonNode at, std::string message, std::string hint = {}) = 0;

  // What follows is null or empty where `value` has another form, which was told.
  bool Expect(JsonNode value, JsonKind kind);
  std::vector<const Subschema*> CompileItems(JsonNode array);
  std::vector<std::pair<std::string_view, const Subschema*>> CompileMembers(JsonNode object);
  size_t Size(JsonNode value);
  std::vector<std::string_view> Names(JsonNode array);
  // `at` is where `pattern` was found.
  Regex CompileRegex(JsonNode at, std::string_view pattern);
};

// Makes the check of the keyword `value` in `schema`; null where it checks nothing.
using KeywordMaker = std::unique_ptr<Keyword> (*)(JsonNode schema, JsonNode value,
                                                  KeywordBuilder& builder);

}  // namespace outrigger::event
