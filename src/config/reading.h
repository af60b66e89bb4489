// One reading of a file: where a value is, and the problems found so far.
//
// Thread: one. Lifetime: of one Load; spots point into the tree that is being read.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/problem.h"
#include "config/yaml.h"

namespace outrigger::config {

// A value, with the place and path of its field. The place is that of the name.
struct Spot {
  const YamlNode& value;
  int line;
  int column;
  std::string path;
  std::string_view name = {};  // as written; the path's last part

  // The field `name` of this mapping, or this mapping when it isn't there: where a problem about it
  // is shown.
  Spot At(const std::string& name) const {
    const YamlNode::Entry* entry = value.Find(name);
    const std::string below = path.empty() ? name : path + "." + name;
    if (entry == nullptr) return {value, line, column, below};
    return {*entry->value, entry->line, entry->column, below, entry->name};
  }
  bool Has(std::string_view name) const { return value.Find(name) != nullptr; }
};

class Reading {
 public:
  // The most problems that are listed; the rest is counted.
  static constexpr size_t kMaxProblems = 1000;

  Reading(std::string file, std::vector<Problem>& problems);
  ~Reading();

  void Error(const Spot& spot, std::string message, std::string hint);
  void Error(const Spot& spot, const base::Error& error) { Error(spot, error.message, error.hint); }
  void Warn(const Spot& spot, std::string message, std::string hint);

  Place PlaceOf(const Spot& spot) const { return {file_, spot.line, spot.column}; }
  Text TextOf(const Spot& spot) const { return {spot.value.text, PlaceOf(spot), spot.path}; }

  // A path of the file: relative to the file's folder.
  std::string Resolve(const std::string& path) const;

  // The text of a scalar; nullptr after an error when it is a list, a mapping or nothing.
  const std::string* Scalar(const Spot& spot);
  // The same where "" makes no sense.
  const std::string* Filled(const Spot& spot);

 private:
  void Add(const Spot& spot, std::string message, std::string hint, Problem::Severity severity);

  std::string file_;
  std::vector<Problem>& problems_;
  size_t held_back_ = 0;
};

// Nothing when `path` is a file that can be read, else why not.
std::optional<base::Error> CheckReadable(const std::string& path);

}  // namespace outrigger::config
