// YAML text → a tree of texts, lists and mappings with their places, safe to walk by recursion.
//
// Only the part of YAML that a config file needs: one document, text names, no tags, no merge keys.
// Aliases are allowed and share their node; a tree that was returned is acyclic, at most 64 deep
// and at most a million nodes large when its aliases are written out, so that a walker needs no
// bounds of its own.
//
// Thread: any. Lifetime: nodes live as long as their tree. Source: YAML 1.2.2, chapters 5 and 7.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/problem.h"

namespace outrigger::config {

struct YamlNode {
  enum class Kind : uint8_t { kNull, kText, kList, kMapping };

  struct Entry {
    std::string name;
    int line = 0;
    int column = 0;
    const YamlNode* value = nullptr;
  };

  // Counts from 1.
  int line = 0;
  int column = 0;
  Kind kind = Kind::kNull;
  bool plain = false;  // kText written without quotes: may be a number or a boolean
  bool open = true;    // still being read: an alias to it would be a circle
  uint8_t height = 1;
  uint32_t size = 1;  // nodes below and including this one, aliases written out
  std::string text;
  std::vector<const YamlNode*> items;
  std::vector<Entry> entries;

  const Entry* Find(std::string_view name) const {
    for (const Entry& entry : entries)
      if (entry.name == name) return &entry;
    return nullptr;
  }
};

class YamlTree {
 public:
  static constexpr size_t kMaxBytes = 4 << 20;
  static constexpr uint32_t kMaxNodes = 1'000'000;
  static constexpr uint8_t kMaxDepth = 64;

  // Nothing when the text is not usable YAML. `problems` has the reason, and every other problem.
  static std::optional<YamlTree> Read(std::string_view text, const std::string& file,
                                      std::vector<Problem>& problems);

  // nullptr: the file has no content.
  const YamlNode* root() const { return root_; }

 private:
  std::deque<YamlNode> nodes_;
  const YamlNode* root_ = nullptr;
};

}  // namespace outrigger::config
