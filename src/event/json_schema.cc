#include "event/json_schema.h"

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <set>

#include "event/schema_applicators.h"
#include "event/schema_children.h"
#include "event/schema_index.h"
#include "event/schema_values.h"

namespace outrigger::event {
namespace {

constexpr size_t kMaxFaults = 20;
// The most schemas that may apply to one value by references.
constexpr size_t kMaxInPlace = 64;

struct KeywordOfDrafts {
  std::string_view name;
  KeywordMaker make;  // null: it is read with another one
  Draft first = Draft::k4;
  Draft last = Draft::k2020;
  bool assertion = false;
};

// Cheap ones first; unevaluated… are put last by the compiler.
constexpr std::array<KeywordOfDrafts, 50> kKeywords{{
    {"$ref", MakeReference},
    {"$dynamicRef", MakeDynamicReference, Draft::k2020},
    {"$recursiveRef", MakeDynamicReference, Draft::k2019, Draft::k2019},
    {"type", MakeType, Draft::k4, Draft::k2020, true},
    {"const", MakeConst, Draft::k6, Draft::k2020, true},
    {"enum", MakeEnum, Draft::k4, Draft::k2020, true},
    {"minimum", MakeBound, Draft::k4, Draft::k2020, true},
    {"maximum", MakeBound, Draft::k4, Draft::k2020, true},
    {"exclusiveMinimum", MakeBound, Draft::k4, Draft::k2020, true},
    {"exclusiveMaximum", MakeBound, Draft::k4, Draft::k2020, true},
    {"multipleOf", MakeMultipleOf, Draft::k4, Draft::k2020, true},
    {"minLength", MakeLength, Draft::k4, Draft::k2020, true},
    {"maxLength", MakeLength, Draft::k4, Draft::k2020, true},
    {"pattern", MakePattern, Draft::k4, Draft::k2020, true},
    {"format", MakeFormat},
    {"minItems", MakeCount, Draft::k4, Draft::k2020, true},
    {"maxItems", MakeCount, Draft::k4, Draft::k2020, true},
    {"minProperties", MakeCount, Draft::k4, Draft::k2020, true},
    {"maxProperties", MakeCount, Draft::k4, Draft::k2020, true},
    {"uniqueItems", MakeUniqueItems, Draft::k4, Draft::k2020, true},
    {"required", MakeRequired, Draft::k4, Draft::k2020, true},
    {"dependentRequired", MakeDependencies, Draft::k2019, Draft::k2020, true},
    {"dependencies", MakeDependencies},
    {"dependentSchemas", MakeDependencies, Draft::k2019},
    {"propertyNames", MakePropertyNames, Draft::k6},
    {"properties", MakeMembers},
    {"patternProperties", MakeMembers},
    {"additionalProperties", MakeMembers},
    {"prefixItems", MakeItems, Draft::k2020},
    {"items", MakeItems},
    {"contains", MakeContains, Draft::k6},
    {"allOf", MakeAllOf},
    {"anyOf", MakeAnyOf},
    {"oneOf", MakeOneOf},
    {"not", MakeNot},
    {"if", MakeIf, Draft::k7},
    {"unevaluatedItems", MakeUnevaluated, Draft::k2019},
    {"unevaluatedProperties", MakeUnevaluated, Draft::k2019},
    {"additionalItems", MakeItems, Draft::k4, Draft::k2019},
    {"then", MakeIf, Draft::k7},
    {"else", MakeIf, Draft::k7},
    {"minContains", nullptr, Draft::k2019},
    {"maxContains", nullptr, Draft::k2019},
    {"$anchor", nullptr, Draft::k2019},
    {"$defs", MakeDefinitions, Draft::k2019},
    {"definitions", MakeDefinitions},
    {"$vocabulary", nullptr, Draft::k2019},
    {"$dynamicAnchor", nullptr, Draft::k2020},
    {"$recursiveAnchor", nullptr, Draft::k2019, Draft::k2019},
    {"contentSchema", nullptr, Draft::k2019},
}};

std::string NameOf(Draft draft) {
  switch (draft) {
    case Draft::k4:
      return "4";
    case Draft::k6:
      return "6";
    case Draft::k7:
      return "7";
    case Draft::k2019:
      return "2019-09";
    case Draft::k2020:
      return "2020-12";
  }
  return {};
}

// Where `wanted` is below `node`, as a JSON pointer; false: not there.
bool FindPointer(JsonNode node, JsonNode wanted, std::string& pointer) {
  if (node.at() == wanted.at()) return true;
  for (size_t i = 0; i < node.size(); ++i) {
    const size_t size = pointer.size();
    pointer += '/';
    if (node.kind() == JsonKind::kArray) {
      pointer += std::to_string(i);
    } else {
      for (const char c : node[i].name()) {
        if (c == '~' || c == '/') {
          pointer += c == '~' ? "~0" : "~1";
        } else {
          pointer += c;
        }
      }
    }
    if (FindPointer(node[i], wanted, pointer)) return true;
    pointer.resize(size);
  }
  return false;
}

}  // namespace

struct JsonSchema::Parts {
  explicit Parts(std::map<std::string, std::string> documents) : index(std::move(documents)) {}

  SchemaIndex index;
  std::deque<Subschema> schemas;
  const Subschema* root = nullptr;
};

class JsonSchema::Compiler : public KeywordBuilder {
 public:
  Compiler(Parts& parts, bool is_strict, std::vector<SchemaFault>& faults)
      : parts_(parts), strict_(is_strict), faults_(faults) {}

  void Run(JsonNode root) {
    parts_.root = Compile(root);
    // Compiling may take in more documents, and those have anchors as well.
    auto& resources = parts_.index.resources();
    for (size_t i = 0; i < resources.size(); ++i) {
      for (const auto& [name, anchor] : resources[i].dynamic_anchors)
        resources[i].dynamic[name] = Compile(anchor);
      if (resources[i].recursive_anchor) resources[i].dynamic[""] = Compile(resources[i].root);
    }
    if (faults_.empty())
      for (const Subschema& schema : parts_.schemas) FollowInPlace(schema);
  }

  Draft draft() const override { return resource_->draft; }
  bool strict() const override { return strict_; }

  const Subschema* Compile(JsonNode schema) override {
    const auto [known, added] =
        compiled_.try_emplace(std::pair(schema.tree(), schema.at()), nullptr);
    if (!added) return known->second;
    const SchemaResource* owner = parts_.index.ResourceOf(schema);
    // Below a keyword that only some drafts know.
    if (!owner) owner = resource_;
    Subschema& made = parts_.schemas.emplace_back(schema, owner);
    known->second = &made;
    if (schema.kind() == JsonKind::kBoolean) {
      made.nothing = !schema.IsTrue();
    } else if (schema.kind() != JsonKind::kObject) {
      Fault(schema, "a schema must be an object, true or false");
    } else {
      const SchemaResource* const outer = resource_;
      resource_ = owner;
      if (!owner->known_dialect && schema.at() == owner->root.at()) {
        UnknownDialect(*schema.Find("$schema"));
      } else {
        MakeKeywords(made);
      }
      resource_ = outer;
    }
    return &made;
  }

  const Subschema* Follow(JsonNode reference) override {
    if (!Expect(reference, JsonKind::kString)) return nullptr;
    auto target = parts_.index.Follow(*resource_, reference.text());
    if (target) return Compile(*target);
    Fault(reference, "the reference " + Shown(reference) + " " + target.error().message,
          target.error().hint);
    return nullptr;
  }

  void Fault(JsonNode at, std::string message, std::string hint = {}) override {
    if (faults_.size() >= kMaxFaults) return;
    std::string pointer;
    FindPointer(at.tree()->root(), at, pointer);
    faults_.push_back({std::move(pointer), std::move(message), std::move(hint)});
  }

 private:
  void MakeKeywords(Subschema& made) {
    const JsonNode schema = made.source;
    const bool only_reference = draft() <= Draft::k7 && schema.Find("$ref");
    for (const KeywordOfDrafts& keyword : kKeywords) {
      const auto value = schema.Find(keyword.name);
      if (!value) continue;
      if (only_reference && keyword.make != MakeReference && keyword.make != MakeDefinitions)
        continue;
      if (draft() < keyword.first || draft() > keyword.last) {
        if (strict_) OfAnotherDraft(*value, keyword);
        continue;
      }
      if (!keyword.make || (keyword.assertion && !resource_->assertions)) continue;
      auto check = keyword.make(schema, *value, *this);
      if (!check) continue;
      const bool last = keyword.make == MakeUnevaluated;
      (last ? made.last : made.keywords).push_back(std::move(check));
    }
  }

  void UnknownDialect(JsonNode dialect) {
    Fault(dialect, "the dialect " + Shown(dialect) + " is not known",
          "drafts 4, 6, 7, 2019-09 and 2020-12 are: https://json-schema.org/draft/2020-12/schema");
  }

  void OfAnotherDraft(JsonNode value, const KeywordOfDrafts& keyword) {
    const bool later = draft() < keyword.first;
    Fault(value,
          "the keyword \"" + std::string(keyword.name) + "\" is of " +
              (later ? "a later" : "an earlier") + " draft than " + NameOf(draft()),
          "it would not be checked; let $schema name draft " +
              NameOf(later ? keyword.first : keyword.last));
  }

  // References that lead back to the same value would never end.
  void FollowInPlace(const Subschema& schema) {
    if (!done_.insert(&schema).second) return;
    const JsonNode at = schema.source.Find("$ref").value_or(schema.source);
    following_.insert(&schema);
    for (const auto& keyword : schema.keywords) {
      for (const Subschema* below : keyword->InPlace()) {
        if (following_.contains(below)) {
          Fault(at, "the schema is circular: it comes back to itself for the same value",
                "a recursive reference must be below properties or items");
        } else if (following_.size() == kMaxInPlace) {
          Fault(at, "more than " + std::to_string(kMaxInPlace) +
                        " schemas refer to each other for the same value");
        } else if (faults_.empty()) {
          FollowInPlace(*below);
        }
      }
    }
    following_.erase(&schema);
  }

  Parts& parts_;
  const bool strict_;
  std::vector<SchemaFault>& faults_;
  const SchemaResource* resource_ = nullptr;  // of the subschema that is being compiled
  std::map<std::pair<const JsonTree*, uint32_t>, const Subschema*> compiled_;
  std::set<const Subschema*> following_, done_;
};

JsonSchema::JsonSchema(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
JsonSchema::~JsonSchema() = default;

std::unique_ptr<const JsonSchema> JsonSchema::Compile(std::string_view text, const Options& options,
                                                      std::vector<SchemaFault>& faults) {
  auto parts = std::make_unique<Parts>(options.documents);
  const auto root = parts->index.Add(text, "", options.draft);
  if (!root) {
    faults.push_back({"", root.error().message, root.error().hint});
    return nullptr;
  }
  const size_t before = faults.size();
  Compiler(*parts, options.strict, faults).Run(*root);
  if (faults.size() > before) return nullptr;
  return std::unique_ptr<const JsonSchema>(new JsonSchema(std::move(parts)));
}

SchemaVerdict JsonSchema::Check(const JsonTree& data) const {
  SchemaRun run;
  // A step for reading each value, which has been done by now.
  if (run.Step(data.size())) parts_->root->Check(data.root(), run, nullptr);
  return run.Take();
}

}  // namespace outrigger::event
