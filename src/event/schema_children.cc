#include "event/schema_children.h"

#include <algorithm>
#include <bit>

#include "event/regex.h"

namespace outrigger::event {
namespace {

class Count : public Keyword {
 public:
  Count(JsonKind kind, size_t bound, bool upper) : kind_(kind), bound_(bound), upper_(upper) {}

  bool Check(JsonNode value, SchemaRun& run, Evaluated*) const override {
    if (value.kind() != kind_ || (upper_ ? value.size() <= bound_ : value.size() >= bound_))
      return true;
    return run.Fail([&] {
      return "has " + std::to_string(value.size()) +
             (kind_ == JsonKind::kArray ? " items" : " properties") +
             ", and the schema requires at " + (upper_ ? "most " : "least ") +
             std::to_string(bound_);
    });
  }

 private:
  JsonKind kind_;
  size_t bound_;
  bool upper_;
};

class Items : public Keyword {
 public:
  Items(std::vector<const Subschema*> prefix, const Subschema* rest)
      : prefix_(std::move(prefix)), rest_(rest) {}

  bool Check(JsonNode value, SchemaRun& run, Evaluated* seen) const override {
    if (value.kind() != JsonKind::kArray) return true;
    const size_t size = rest_ ? value.size() : std::min(prefix_.size(), value.size());
    bool fits = true;
    for (size_t i = 0; i < size; ++i) {
      const Subschema* schema = i < prefix_.size() ? prefix_[i] : rest_;
      if (seen) seen->Add(i);
      if (schema->CheckBelow(value, i, run)) continue;
      fits = false;
      if (run.Done()) break;
    }
    return fits;
  }

 private:
  std::vector<const Subschema*> prefix_;
  const Subschema* rest_;  // null: anything
};

class Contains : public Keyword {
 public:
  Contains(const Subschema* schema, size_t least, size_t most, bool evaluates)
      : schema_(schema), least_(least), most_(most), evaluates_(evaluates) {}

  bool Check(JsonNode value, SchemaRun& run, Evaluated* seen) const override {
    if (value.kind() != JsonKind::kArray) return true;
    if (!evaluates_) seen = nullptr;
    size_t count = 0;
    for (size_t i = 0; i < value.size(); ++i) {
      if (!run.Step()) return false;
      if (!schema_->Fits(value[i], run)) continue;
      if (seen) seen->Add(i);
      ++count;
      if (!seen && (count > most_ || (most_ == SIZE_MAX && count >= least_))) break;
    }
    if (count >= least_ && count <= most_) return true;
    return run.Fail([&]() -> std::string {
      if (count > most_) return "more than " + std::to_string(most_) + " items fit \"contains\"";
      return std::to_string(count) + " items fit \"contains\", and the schema requires at least " +
             std::to_string(least_);
    });
  }

 private:
  const Subschema* schema_;
  size_t least_;
  size_t most_;
  bool evaluates_;
};

class UniqueItems : public Keyword {
 public:
  bool Check(JsonNode value, SchemaRun& run, Evaluated*) const override {
    if (value.kind() != JsonKind::kArray || value.size() < 2) return true;
    if (!run.Step(value.size() * std::bit_width(value.size()) / 4 + value.text().size() / 8))
      return false;
    std::vector<Item> items;
    items.reserve(value.size());
    for (size_t i = 0; i < value.size(); ++i) items.push_back({value[i].Hash(), i});
    // By hash, and among those of one hash by value: a text made for collisions costs no more.
    std::sort(items.begin(), items.end(), [&](const Item& a, const Item& b) {
      if (a.hash != b.hash) return a.hash < b.hash;
      const int order = value[a.index].Compare(value[b.index]);
      return order != 0 ? order < 0 : a.index < b.index;
    });
    const auto twice =
        std::adjacent_find(items.begin(), items.end(), [&](const Item& a, const Item& b) {
          return a.hash == b.hash && value[a.index].Compare(value[b.index]) == 0;
        });
    if (twice == items.end()) return true;
    return run.Fail([&] {
      return "the items " + std::to_string(twice->index) + " and " +
             std::to_string((twice + 1)->index) + " are equal";
    });
  }

 private:
  struct Item {
    size_t hash;
    size_t index;
  };
};

class Unevaluated : public Keyword {
 public:
  Unevaluated(JsonKind kind, const Subschema* schema) : kind_(kind), schema_(schema) {}

  bool Check(JsonNode value, SchemaRun& run, Evaluated* seen) const override {
    if (value.kind() != kind_) return true;
    bool fits = true;
    for (size_t i = 0; i < value.size(); ++i) {
      if (!run.Step()) return false;
      if (seen->Has(i)) continue;
      seen->Add(i);
      if (schema_->CheckBelow(value, i, run)) continue;
      fits = false;
      if (run.Done()) break;
    }
    return fits;
  }

 private:
  JsonKind kind_;
  const Subschema* schema_;
};

class Required : public Keyword {
 public:
  explicit Required(std::vector<std::string_view> names) : names_(std::move(names)) {}

  bool Check(JsonNode value, SchemaRun& run, Evaluated*) const override {
    if (value.kind() != JsonKind::kObject) return true;
    if (!run.Step(names_.size())) return false;
    bool fits = true;
    for (const auto name : names_) {
      if (value.Find(name)) continue;
      fits = run.Fail([&] { return "the property \"" + Excerpt(name) + "\" is missing"; });
      if (run.Done()) break;
    }
    return fits;
  }

 private:
  std::vector<std::string_view> names_;
};

class Members : public Keyword {
 public:
  std::vector<std::pair<std::string_view, const Subschema*>> properties;  // by name
  std::vector<std::pair<Regex, const Subschema*>> patterns;
  const Subschema* rest = nullptr;  // additionalProperties; null: anything

  bool Check(JsonNode value, SchemaRun& run, Evaluated* seen) const override {
    if (value.kind() != JsonKind::kObject) return true;
    bool fits = true;
    for (size_t i = 0; i < value.size() && run.Step(); ++i) {
      if (CheckMember(value, i, run, seen)) continue;
      fits = false;
      if (run.Done()) break;
    }
    return fits;
  }

 private:
  bool CheckMember(JsonNode value, size_t index, SchemaRun& run, Evaluated* seen) const {
    const std::string_view name = value[index].name();
    bool known = false;
    bool fits = true;
    const auto property = std::lower_bound(
        properties.begin(), properties.end(), name,
        [](const auto& one, std::string_view wanted) { return one.first < wanted; });
    if (property != properties.end() && property->first == name) {
      known = true;
      fits = property->second->CheckBelow(value, index, run);
    }
    for (const auto& [pattern, schema] : patterns) {
      if (!run.Step(pattern.Cost(name) / kStepNanoseconds)) return false;
      if (!pattern.Matches(name)) continue;
      known = true;
      if (!schema->CheckBelow(value, index, run)) fits = false;
      if (!fits && run.Done()) return false;
    }
    if (!known && rest) {
      known = true;
      fits = rest->nothing ? NotAllowed(value, index, run) : rest->CheckBelow(value, index, run);
    }
    if (known && seen) seen->Add(index);
    return fits;
  }

  static bool NotAllowed(JsonNode value, size_t index, SchemaRun& run) {
    const SchemaRun::Below below(run, value, index);
    return run.Fail([] { return "the schema does not know this property, and allows no others"; });
  }
};

class PropertyNames : public Keyword {
 public:
  explicit PropertyNames(const Subschema* schema) : schema_(schema) {}

  bool Check(JsonNode value, SchemaRun& run, Evaluated*) const override {
    if (value.kind() != JsonKind::kObject) return true;
    bool fits = true;
    for (size_t i = 0; i < value.size(); ++i) {
      if (!run.Step()) return false;
      if (schema_->Fits(value[i].Name(), run)) continue;
      const SchemaRun::Below below(run, value, i);
      fits = run.Fail([] { return "the name of this property does not fit \"propertyNames\""; });
      if (run.Done()) break;
    }
    return fits;
  }

 private:
  const Subschema* schema_;
};

}  // namespace

std::unique_ptr<Keyword> MakeCount(JsonNode, JsonNode value, KeywordBuilder& builder) {
  const auto kind = value.name().ends_with("Items") ? JsonKind::kArray : JsonKind::kObject;
  return std::make_unique<Count>(kind, builder.Size(value), value.name().starts_with("max"));
}

std::unique_ptr<Keyword> MakeItems(JsonNode schema, JsonNode value, KeywordBuilder& builder) {
  const auto items = schema.Find("items");
  if (builder.draft() == Draft::k2020) {
    const auto prefix = schema.Find("prefixItems");
    if (prefix && value.name() == "items") return nullptr;  // made with the other one
    auto first = prefix ? builder.CompileItems(*prefix) : std::vector<const Subschema*>();
    return std::make_unique<Items>(std::move(first), items ? builder.Compile(*items) : nullptr);
  }
  if (value.name() != "items") {
    builder.Compile(value);  // it says nothing without an array of items, and must be right
    return nullptr;
  }
  if (value.kind() != JsonKind::kArray)
    return std::make_unique<Items>(std::vector<const Subschema*>(), builder.Compile(value));
  const auto rest = schema.Find("additionalItems");
  return std::make_unique<Items>(builder.CompileItems(value),
                                 rest ? builder.Compile(*rest) : nullptr);
}

std::unique_ptr<Keyword> MakeContains(JsonNode schema, JsonNode value, KeywordBuilder& builder) {
  size_t least = 1;
  size_t most = SIZE_MAX;
  if (builder.draft() >= Draft::k2019) {
    if (const auto bound = schema.Find("minContains")) least = builder.Size(*bound);
    if (const auto bound = schema.Find("maxContains")) most = builder.Size(*bound);
  }
  return std::make_unique<Contains>(builder.Compile(value), least, most,
                                    builder.draft() == Draft::k2020);
}

std::unique_ptr<Keyword> MakeUniqueItems(JsonNode, JsonNode value, KeywordBuilder& builder) {
  if (!builder.Expect(value, JsonKind::kBoolean) || !value.IsTrue()) return nullptr;
  return std::make_unique<UniqueItems>();
}

std::unique_ptr<Keyword> MakeUnevaluated(JsonNode, JsonNode value, KeywordBuilder& builder) {
  return std::make_unique<Unevaluated>(
      value.name().ends_with("Items") ? JsonKind::kArray : JsonKind::kObject,
      builder.Compile(value));
}

std::unique_ptr<Keyword> MakeRequired(JsonNode, JsonNode value, KeywordBuilder& builder) {
  return std::make_unique<Required>(builder.Names(value));
}

std::unique_ptr<Keyword> MakeMembers(JsonNode schema, JsonNode value, KeywordBuilder& builder) {
  const auto properties = schema.Find("properties");
  const auto patterns = schema.Find("patternProperties");
  const auto rest = schema.Find("additionalProperties");
  const JsonNode first = properties ? *properties : patterns ? *patterns : *rest;
  if (value.at() != first.at()) return nullptr;  // made with the first of them
  auto members = std::make_unique<Members>();
  if (properties) members->properties = builder.CompileMembers(*properties);
  if (patterns && builder.Expect(*patterns, JsonKind::kObject))
    for (size_t i = 0; i < patterns->size(); ++i) {
      const JsonNode one = (*patterns)[i];
      members->patterns.emplace_back(builder.CompileRegex(one, one.name()), builder.Compile(one));
    }
  if (rest) members->rest = builder.Compile(*rest);
  return members;
}

std::unique_ptr<Keyword> MakePropertyNames(JsonNode, JsonNode value, KeywordBuilder& builder) {
  return std::make_unique<PropertyNames>(builder.Compile(value));
}

}  // namespace outrigger::event
