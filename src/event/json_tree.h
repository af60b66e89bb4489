// A JSON text as a tree of values that are looked at, compared and searched by name.
//
// Values stay where they are in the text, numbers as they are written; a value takes 32 bytes
// beside it. Members are in the order of their names.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace outrigger::event {

enum class JsonKind : uint8_t { kNull, kBoolean, kNumber, kString, kArray, kObject };

// "null", "a string", "an object"
std::string_view Describe(JsonKind kind);

class JsonTree;

// A value of a tree, or the name of a member as if it were a value. A view.
class JsonNode {
 public:
  JsonNode(const JsonTree& tree, uint32_t at, bool name = false)
      : tree_(&tree), at_(at), name_(name) {}

  JsonKind kind() const;
  // A string's characters; anything else as it is written.
  std::string_view text() const;
  // How many items or members; 0 of anything else.
  size_t size() const;
  JsonNode operator[](size_t index) const;

  // The name of this member, and as a value.
  std::string_view name() const;
  JsonNode Name() const { return {*tree_, at_, true}; }
  std::optional<JsonNode> Find(std::string_view name) const;

  bool IsTrue() const { return kind() == JsonKind::kBoolean && text() == "true"; }
  bool IsStructured() const { return kind() >= JsonKind::kArray; }

  // A total order of JSON values: 0 where they are equal as JSON Schema says, numbers by value.
  int Compare(JsonNode other) const;
  // Equal values have one hash.
  size_t Hash() const;

  // Of one tree: what tells nodes apart.
  uint32_t at() const { return at_; }
  const JsonTree* tree() const { return tree_; }

 private:
  const JsonTree* tree_;
  uint32_t at_;
  bool name_;
};

class JsonTree {
 public:
  // `text` is strict JSON (JsonReader::Check) of at most 128 levels and outlives the tree. An
  // error: a name that appears twice in one object.
  static base::Result<JsonTree> Parse(std::string_view text);

  JsonNode root() const { return {*this, static_cast<uint32_t>(entries_.size() - 1)}; }
  size_t size() const { return entries_.size(); }

 private:
  friend class JsonNode;
  friend class JsonTreeParser;

  // Characters in the text, or, where escapes were resolved, in unescaped_.
  struct Text {
    uint32_t at = 0;
    uint32_t size : 31 = 0;
    uint32_t unescaped : 1 = 0;
  };
  struct Entry {
    Text name;
    Text text;
    uint32_t first = 0;  // of the items or members
    uint32_t count = 0;
    JsonKind kind = JsonKind::kNull;
  };

  std::string_view View(Text text) const;

  std::string_view text_;
  std::string unescaped_;
  std::vector<Entry> entries_;  // those of one array or object are contiguous; the root is the last
};

}  // namespace outrigger::event
