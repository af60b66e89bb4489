#include "event/schema_applicators.h"

#include <algorithm>

#include "event/uri.h"

namespace outrigger::event {
namespace {

class Reference : public Keyword {
 public:
  explicit Reference(const Subschema* target) : target_(target) {}

  bool Check(JsonNode value, SchemaRun& run, Evaluated* seen) const override {
    return target_->Check(value, run, seen);
  }
  std::vector<const Subschema*> InPlace() const override { return {target_}; }

 private:
  const Subschema* target_;
};

class DynamicReference : public Keyword {
 public:
  DynamicReference(const Subschema* target, std::string anchor)
      : target_(target), anchor_(std::move(anchor)) {}

  bool Check(JsonNode value, SchemaRun& run, Evaluated* seen) const override {
    for (const SchemaResource* resource : run.scope()) {
      if (!run.Step()) return false;
      if (const auto found = resource->dynamic.find(anchor_); found != resource->dynamic.end())
        return found->second->Check(value, run, seen);
    }
    return target_->Check(value, run, seen);
  }
  std::vector<const Subschema*> InPlace() const override { return {target_}; }

 private:
  const Subschema* target_;
  std::string anchor_;  // "" is $recursiveAnchor
};

class AllOf : public Keyword {
 public:
  explicit AllOf(std::vector<const Subschema*> schemas) : schemas_(std::move(schemas)) {}

  bool Check(JsonNode value, SchemaRun& run, Evaluated* seen) const override {
    bool fits = true;
    for (const Subschema* schema : schemas_) {
      if (schema->Check(value, run, seen)) continue;
      fits = false;
      if (run.Done()) break;
    }
    return fits;
  }
  std::vector<const Subschema*> InPlace() const override { return schemas_; }

 private:
  std::vector<const Subschema*> schemas_;
};

// Whether `value` fits; what it evaluated counts only then.
bool FitsAndSees(const Subschema* schema, JsonNode value, SchemaRun& run, Evaluated* seen) {
  if (!seen) return schema->Fits(value, run);
  if (!run.Step(1 + value.size() / 32)) return false;
  Evaluated mine(value.size());
  if (!schema->Fits(value, run, &mine)) return false;
  seen->Add(mine);
  return true;
}

class AnyOf : public Keyword {
 public:
  explicit AnyOf(std::vector<const Subschema*> schemas) : schemas_(std::move(schemas)) {}

  bool Check(JsonNode value, SchemaRun& run, Evaluated* seen) const override {
    bool fits = false;
    for (const Subschema* schema : schemas_) {
      if (!FitsAndSees(schema, value, run, seen)) continue;
      fits = true;
      if (!seen) break;
    }
    if (fits) return true;
    // With one alternative its errors are the ones to report.
    if (schemas_.size() == 1 && !run.Done()) return schemas_.front()->Check(value, run, nullptr);
    return run.Fail([&] {
      return "fits none of the " + std::to_string(schemas_.size()) + " schemas of \"anyOf\"";
    });
  }
  std::vector<const Subschema*> InPlace() const override { return schemas_; }

 private:
  std::vector<const Subschema*> schemas_;
};

class OneOf : public Keyword {
 public:
  explicit OneOf(std::vector<const Subschema*> schemas) : schemas_(std::move(schemas)) {}

  bool Check(JsonNode value, SchemaRun& run, Evaluated* seen) const override {
    std::vector<size_t> fitting;
    for (size_t i = 0; i < schemas_.size() && fitting.size() < 2; ++i)
      if (FitsAndSees(schemas_[i], value, run, seen)) fitting.push_back(i);
    if (fitting.size() == 1) return true;
    return run.Fail([&] {
      if (fitting.empty())
        return "fits none of the " + std::to_string(schemas_.size()) + " schemas of \"oneOf\"";
      return "fits the schemas " + std::to_string(fitting[0]) + " and " +
             std::to_string(fitting[1]) + " of \"oneOf\", and must fit exactly one";
    });
  }
  std::vector<const Subschema*> InPlace() const override { return schemas_; }

 private:
  std::vector<const Subschema*> schemas_;
};

class Not : public Keyword {
 public:
  explicit Not(const Subschema* schema) : schema_(schema) {}

  bool Check(JsonNode value, SchemaRun& run, Evaluated*) const override {
    if (!schema_->Fits(value, run)) return true;
    return run.Fail([] { return "fits the schema of \"not\", which it must not"; });
  }
  std::vector<const Subschema*> InPlace() const override { return {schema_}; }

 private:
  const Subschema* schema_;
};

class If : public Keyword {
 public:
  If(const Subschema* condition, const Subschema* then, const Subschema* otherwise)
      : condition_(condition), then_(then), otherwise_(otherwise) {}

  bool Check(JsonNode value, SchemaRun& run, Evaluated* seen) const override {
    const Subschema* branch = FitsAndSees(condition_, value, run, seen) ? then_ : otherwise_;
    return !branch || branch->Check(value, run, seen);
  }
  std::vector<const Subschema*> InPlace() const override {
    std::vector<const Subschema*> all{condition_};
    if (then_) all.push_back(then_);
    if (otherwise_) all.push_back(otherwise_);
    return all;
  }

 private:
  const Subschema* condition_;
  const Subschema* then_;       // null: anything
  const Subschema* otherwise_;  // null: anything
};

class Dependencies : public Keyword {
 public:
  std::vector<std::pair<std::string_view, std::vector<std::string_view>>> required;
  std::vector<std::pair<std::string_view, const Subschema*>> schemas;

  bool Check(JsonNode value, SchemaRun& run, Evaluated* seen) const override {
    if (value.kind() != JsonKind::kObject) return true;
    bool fits = true;
    for (const auto& [name, names] : required) {
      if (!run.Step(1 + names.size())) return false;
      if (!value.Find(name)) continue;
      for (const auto needed : names) {
        if (value.Find(needed)) continue;
        fits = run.Fail([&, cause = name] {
          return "the property \"" + Excerpt(needed) + "\" is missing, which \"" + Excerpt(cause) +
                 "\" needs";
        });
        if (run.Done()) return false;
      }
    }
    for (const auto& [name, schema] : schemas) {
      if (!run.Step()) return false;
      if (!value.Find(name) || schema->Check(value, run, seen)) continue;
      fits = false;
      if (run.Done()) break;
    }
    return fits;
  }
  std::vector<const Subschema*> InPlace() const override {
    std::vector<const Subschema*> all;
    for (const auto& [name, schema] : schemas) all.push_back(schema);
    return all;
  }
};

// The schemas of allOf, anyOf or oneOf; at least one.
std::vector<const Subschema*> Alternatives(JsonNode value, KeywordBuilder& builder) {
  auto schemas = builder.CompileItems(value);
  if (value.kind() == JsonKind::kArray && schemas.empty())
    builder.Fault(value, "\"" + std::string(value.name()) + "\" must hold at least one schema");
  return schemas;
}

}  // namespace

std::unique_ptr<Keyword> MakeReference(JsonNode, JsonNode value, KeywordBuilder& builder) {
  const Subschema* target = builder.Follow(value);
  return target ? std::make_unique<Reference>(target) : nullptr;
}

std::unique_ptr<Keyword> MakeDynamicReference(JsonNode, JsonNode value, KeywordBuilder& builder) {
  const Subschema* target = builder.Follow(value);
  if (!target) return nullptr;
  const SchemaResource& resource = *target->resource;
  if (value.name() == "$recursiveRef") {
    const bool recursive = resource.recursive_anchor && target->source.at() == resource.root.at();
    if (recursive) return std::make_unique<DynamicReference>(target, "");
    return std::make_unique<Reference>(target);
  }
  const auto fragment = SplitUri(value.text()).fragment;
  const auto anchor = resource.dynamic_anchors.find(fragment ? *fragment : std::string_view());
  if (anchor == resource.dynamic_anchors.end() || anchor->second.at() != target->source.at())
    return std::make_unique<Reference>(target);
  return std::make_unique<DynamicReference>(target, anchor->first);
}

std::unique_ptr<Keyword> MakeDefinitions(JsonNode, JsonNode value, KeywordBuilder& builder) {
  // It must be valid even if nothing refers to it.
  if (builder.strict()) builder.CompileMembers(value);
  return nullptr;
}

std::unique_ptr<Keyword> MakeAllOf(JsonNode, JsonNode value, KeywordBuilder& builder) {
  return std::make_unique<AllOf>(Alternatives(value, builder));
}

std::unique_ptr<Keyword> MakeAnyOf(JsonNode, JsonNode value, KeywordBuilder& builder) {
  return std::make_unique<AnyOf>(Alternatives(value, builder));
}

std::unique_ptr<Keyword> MakeOneOf(JsonNode, JsonNode value, KeywordBuilder& builder) {
  return std::make_unique<OneOf>(Alternatives(value, builder));
}

std::unique_ptr<Keyword> MakeNot(JsonNode, JsonNode value, KeywordBuilder& builder) {
  return std::make_unique<Not>(builder.Compile(value));
}

std::unique_ptr<Keyword> MakeIf(JsonNode schema, JsonNode value, KeywordBuilder& builder) {
  if (value.name() != "if") {
    builder.Compile(value);  // it says nothing without an if, and must be right
    return nullptr;
  }
  const auto then = schema.Find("then");
  const auto otherwise = schema.Find("else");
  return std::make_unique<If>(builder.Compile(value), then ? builder.Compile(*then) : nullptr,
                              otherwise ? builder.Compile(*otherwise) : nullptr);
}

std::unique_ptr<Keyword> MakeDependencies(JsonNode, JsonNode value, KeywordBuilder& builder) {
  if (!builder.Expect(value, JsonKind::kObject)) return nullptr;
  auto dependencies = std::make_unique<Dependencies>();
  for (size_t i = 0; i < value.size(); ++i) {
    const JsonNode one = value[i];
    if (value.name() == "dependentRequired" ||
        (value.name() == "dependencies" && one.kind() == JsonKind::kArray)) {
      dependencies->required.emplace_back(one.name(), builder.Names(one));
    } else {
      dependencies->schemas.emplace_back(one.name(), builder.Compile(one));
    }
  }
  return dependencies;
}

}  // namespace outrigger::event
