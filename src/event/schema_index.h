// Where a schema's references lead: its documents, the resources in them ($id), their anchors and
// drafts.
//
// Source: JSON Schema 2020-12, Core sections 8 and 9; for drafts 4 to 7 `id`, `$id` and `$ref` as
// they say.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "event/json_tree.h"
#include "event/schema_keyword.h"

namespace outrigger::event {

class SchemaIndex {
 public:
  // `documents` are those that references may lead to, by URI.
  explicit SchemaIndex(std::map<std::string, std::string> documents)
      : documents_(std::move(documents)) {}

  // Takes in a document, which is known at `uri`, too. Without $schema it is of `draft`. An error:
  // it is no JSON.
  base::Result<JsonNode> Add(std::string_view text, const std::string& uri, Draft draft);

  // The resource that `schema` is part of, whose URI is the base of its references.
  const SchemaResource* ResourceOf(JsonNode schema) const;
  // What `reference` means in `from`; takes in the document that it leads to. An error says why it
  // leads nowhere.
  base::Result<JsonNode> Follow(const SchemaResource& from, std::string_view reference);

  std::deque<SchemaResource>& resources() { return resources_; }

 private:
  struct Document {
    std::string text;
    JsonTree tree;
  };
  using Key = std::pair<const JsonTree*, uint32_t>;

  // Notes the resources and anchors of `schema` and below, which is part of `resource`.
  void Walk(JsonNode schema, SchemaResource* resource);
  void WalkBelow(JsonNode schema, SchemaResource* resource);
  SchemaResource* Identify(JsonNode schema, SchemaResource* resource);
  void ReadDialect(JsonNode root, SchemaResource& resource);
  base::Result<JsonNode> FollowPointer(SchemaResource& resource, std::string_view pointer);

  const std::map<std::string, std::string> documents_;
  std::deque<std::unique_ptr<Document>> trees_;
  std::deque<SchemaResource> resources_;
  std::map<std::string, SchemaResource*, std::less<>> by_uri_;
  std::map<Key, SchemaResource*> owners_;
};

}  // namespace outrigger::event
