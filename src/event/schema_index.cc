#include "event/schema_index.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/percent.h"
#include "event/json.h"
#include "event/uri.h"

namespace outrigger::event {
namespace {

// Keywords that hold one schema or an array of schemas, and those that hold an object of schemas.
constexpr std::array<std::string_view, 16> kSchemas{"additionalItems",
                                                    "additionalProperties",
                                                    "allOf",
                                                    "anyOf",
                                                    "contains",
                                                    "else",
                                                    "if",
                                                    "items",
                                                    "not",
                                                    "oneOf",
                                                    "prefixItems",
                                                    "propertyNames",
                                                    "then",
                                                    "contentSchema",
                                                    "unevaluatedItems",
                                                    "unevaluatedProperties"};
constexpr std::array<std::string_view, 6> kMaps{
    "$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties", "properties"};

std::optional<Draft> DraftOf(std::string_view dialect) {
  static constexpr std::array<std::pair<std::string_view, Draft>, 5> kDrafts{
      {{"draft-04", Draft::k4},
       {"draft-06", Draft::k6},
       {"draft-07", Draft::k7},
       {"draft/2019-09", Draft::k2019},
       {"draft/2020-12", Draft::k2020}}};
  for (const auto& [part, draft] : kDrafts)
    if (dialect.find(part) != std::string_view::npos) return draft;
  return {};
}

std::string WithoutFragment(std::string_view uri) {
  return std::string(uri.substr(0, uri.find('#')));
}

// The string at `name`; empty where there is none.
std::string_view TextAt(JsonNode schema, std::string_view name) {
  const auto value = schema.Find(name);
  return value && value->kind() == JsonKind::kString ? value->text() : std::string_view();
}

// A token of a JSON pointer, unescaped; empty where ~ is followed by something else.
std::optional<std::string> Unescaped(std::string_view token) {
  std::string out;
  for (size_t i = 0; i < token.size(); ++i) {
    if (token[i] != '~') {
      out += token[i];
      continue;
    }
    if (++i == token.size() || (token[i] != '0' && token[i] != '1')) return {};
    out += token[i] == '0' ? '~' : '/';
  }
  return out;
}

std::optional<JsonNode> Child(JsonNode parent, std::string_view token) {
  if (parent.kind() != JsonKind::kArray) {
    const auto name = Unescaped(token);
    return name ? parent.Find(*name) : std::nullopt;
  }
  size_t index = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), index);
  if (error != std::errc() || end != token.data() + token.size() || index >= parent.size())
    return {};
  return parent[index];
}

base::Failure Nowhere() { return base::Fail(base::Error::Invalid("leads nowhere")); }

}  // namespace

base::Result<JsonNode> SchemaIndex::Add(std::string_view text, const std::string& uri,
                                        Draft draft) {
  // Strict, since the tree would trust anything.
  JsonReader reader;
  if (auto valid = reader.Check(text); !valid) return base::Fail(valid.error());
  auto& document = *trees_.emplace_back(new Document{std::string(text), {}});
  auto tree = JsonTree::Parse(document.text);
  if (!tree) return base::Fail(tree.error());
  document.tree = std::move(*tree);
  const JsonNode root = document.tree.root();
  auto* resource = &resources_.emplace_back(uri, root, draft);
  ReadDialect(root, *resource);
  by_uri_[uri] = resource;
  Walk(root, resource);
  return root;
}

void SchemaIndex::ReadDialect(JsonNode root, SchemaResource& resource) {
  const auto schema = root.Find("$schema");
  if (!schema) return;
  const std::string_view dialect = TextAt(root, "$schema");
  if (const auto draft = DraftOf(dialect)) {
    resource.draft = *draft;
    return;
  }
  // A custom dialect: its metaschema lists its vocabularies.
  const auto own = documents_.find(WithoutFragment(dialect));
  const std::string text = own == documents_.end() ? "null" : own->second;
  const auto tree = JsonTree::Parse(text);
  const auto draft = tree ? DraftOf(TextAt(tree->root(), "$schema")) : std::nullopt;
  resource.known_dialect = draft.has_value();
  if (!draft) return;
  resource.draft = *draft;
  const auto vocabularies = tree->root().Find("$vocabulary");
  if (!vocabularies) return;
  resource.assertions = false;
  for (size_t i = 0; i < vocabularies->size(); ++i)
    if ((*vocabularies)[i].name().ends_with("/vocab/validation")) resource.assertions = true;
}

SchemaResource* SchemaIndex::Identify(JsonNode schema, SchemaResource* resource) {
  const bool old = resource->draft <= Draft::k7;
  // There a reference hides its sibling keywords.
  if (old && schema.Find("$ref")) return resource;
  const auto id = TextAt(schema, resource->draft == Draft::k4 ? "id" : "$id");
  const std::string uri = WithoutFragment(ResolveUri(resource->uri, id));
  if (!id.empty() && id.front() != '#' && uri != resource->uri) {
    if (schema.at() == resource->root.at()) {
      resource->uri = uri;  // the document's own name
    } else {
      const SchemaResource& around = *resource;
      resource = &resources_.emplace_back(uri, schema, around.draft);
      resource->assertions = around.assertions;
      ReadDialect(schema, *resource);
    }
    by_uri_.try_emplace(uri, resource);
  }
  if (old) {
    if (const size_t hash = id.find('#'); hash + 1 < id.size() && hash != std::string_view::npos)
      resource->anchors.try_emplace(std::string(id.substr(hash + 1)), schema);
    return resource;
  }
  if (const auto anchor = TextAt(schema, "$anchor"); !anchor.empty())
    resource->anchors.try_emplace(std::string(anchor), schema);
  if (resource->draft == Draft::k2020) {
    if (const auto anchor = TextAt(schema, "$dynamicAnchor"); !anchor.empty()) {
      resource->anchors.try_emplace(std::string(anchor), schema);
      resource->dynamic_anchors.try_emplace(std::string(anchor), schema);
    }
  } else if (const auto anchor = schema.Find("$recursiveAnchor"); anchor && anchor->IsTrue()) {
    resource->recursive_anchor = schema.at() == resource->root.at();
  }
  return resource;
}

void SchemaIndex::Walk(JsonNode schema, SchemaResource* resource) {
  const Key key(schema.tree(), schema.at());
  if (owners_.contains(key)) return;
  if (schema.kind() == JsonKind::kObject) resource = Identify(schema, resource);
  owners_[key] = resource;
  if (schema.kind() == JsonKind::kObject) WalkBelow(schema, resource);
}

void SchemaIndex::WalkBelow(JsonNode schema, SchemaResource* resource) {
  for (size_t i = 0; i < schema.size(); ++i) {
    const JsonNode value = schema[i];
    const auto named = [&](const auto& names) {
      return std::find(names.begin(), names.end(), value.name()) != names.end();
    };
    if (named(kMaps)) {
      if (value.kind() == JsonKind::kObject)
        for (size_t k = 0; k < value.size(); ++k) Walk(value[k], resource);
    } else if (named(kSchemas)) {
      if (value.kind() == JsonKind::kArray) {
        for (size_t k = 0; k < value.size(); ++k) Walk(value[k], resource);
      } else {
        Walk(value, resource);
      }
    }
  }
}

const SchemaResource* SchemaIndex::ResourceOf(JsonNode schema) const {
  const auto found = owners_.find({schema.tree(), schema.at()});
  return found == owners_.end() ? nullptr : found->second;
}

base::Result<JsonNode> SchemaIndex::Follow(const SchemaResource& from, std::string_view reference) {
  const std::string target = ResolveUri(from.uri, reference);
  const size_t hash = target.find('#');
  const std::string uri = target.substr(0, hash);
  auto found = by_uri_.find(uri);
  if (found == by_uri_.end()) {
    const auto document = documents_.find(uri);
    if (document == documents_.end()) {
      return base::Fail(base::Error::Invalid(
          "leaves this file", "only references inside a schema (#/definitions/…) are followed"));
    }
    if (auto added = Add(document->second, uri, from.draft); !added)
      return base::Fail(added.error());
    found = by_uri_.find(uri);
  }
  SchemaResource& resource = *found->second;
  const auto fragment =
      base::PercentDecoded(hash == std::string::npos ? std::string() : target.substr(hash + 1));
  if (!fragment) return Nowhere();
  if (fragment->empty()) return resource.root;
  if (fragment->front() == '/') return FollowPointer(resource, *fragment);
  const auto anchor = resource.anchors.find(*fragment);
  if (anchor == resource.anchors.end()) return Nowhere();
  return anchor->second;
}

base::Result<JsonNode> SchemaIndex::FollowPointer(SchemaResource& resource,
                                                  std::string_view pointer) {
  JsonNode node = resource.root;
  SchemaResource* owner = &resource;
  while (!pointer.empty()) {
    pointer.remove_prefix(1);
    const auto child = Child(node, pointer.substr(0, pointer.find('/')));
    if (!child) return Nowhere();
    node = *child;
    pointer.remove_prefix(std::min(pointer.find('/'), pointer.size()));
    if (const auto known = owners_.find({node.tree(), node.at()}); known != owners_.end())
      owner = known->second;
  }
  // A reference makes its target a schema, wherever it is.
  Walk(node, owner);
  return node;
}

}  // namespace outrigger::event
