#include "event/schema_lint.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include "event/formats.h"

namespace outrigger::event {
namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 14> kLaterKeywords{
    "unevaluatedProperties", "unevaluatedItems", "dependentRequired", "dependentSchemas", "$anchor",
    "$dynamicRef",           "$dynamicAnchor",   "$recursiveRef",     "$recursiveAnchor", "$defs",
    "minContains",           "maxContains",      "prefixItems",       "$vocabulary"};
constexpr std::array<std::string_view, 7> kTypes{"object",  "array",   "string", "number",
                                                 "integer", "boolean", "null"};
// Each holds one schema, an array of schemas, or an object of schemas.
constexpr std::array<std::string_view, 10> kOne{
    "additionalProperties", "additionalItems", "not",         "if", "then", "else", "contains",
    "propertyNames",        "items",           "dependencies"};
constexpr std::array<std::string_view, 4> kArrays{"allOf", "anyOf", "oneOf", "items"};
constexpr std::array<std::string_view, 4> kObjects{"properties", "patternProperties", "definitions",
                                                   "dependencies"};
constexpr size_t kMaxVisits = 20'000;
constexpr size_t kMaxDepth = 64;

std::string Escaped(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

class Lint {
 public:
  explicit Lint(const json& root) : root_(root) {}

  std::vector<SchemaFault> Run() {
    if (root_.is_object() && root_.contains("$schema")) CheckDraft(root_["$schema"]);
    Visit(root_, "");
    return std::move(faults_);
  }

 private:
  void Fault(const std::string& pointer, std::string message, std::string hint = {}) {
    if (reported_.insert(pointer + message).second)
      faults_.push_back({pointer, std::move(message), std::move(hint)});
  }

  void CheckDraft(const json& draft) {
    const std::string name = draft.is_string() ? draft.get<std::string>() : "";
    for (const char* known : {"draft-04", "draft-06", "draft-07"})
      if (name.find(known) != std::string::npos) return;
    Fault("/$schema", "the dialect " + draft.dump() + " is not known here",
          "drafts 4, 6 and 7 are: http://json-schema.org/draft-07/schema#");
  }

  void CheckRegex(const std::string& pointer, const std::string& pattern) {
    RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(1 << 20);
    const RE2 regex(pattern, options);
    if (!regex.ok())
      Fault(pointer,
            "the regular expression " + json(pattern).dump() + " is refused: " + regex.error(),
            "RE2 has no look-around and no back references");
    // RE2 takes time in proportion to the text whatever the expression; nested repetition is
    // refused all the same, since every other validator of the schema stalls on it.
    if (NestedRepetition(pattern))
      Fault(pointer, "the regular expression " + json(pattern).dump() + " repeats a repetition",
            "it takes exponential time in most validators; write (a+)+ as a+");
  }

  // A group that ends in a repetition and is itself repeated without bound: (a+)+, (.*)*.
  static bool NestedRepetition(std::string_view pattern) {
    std::vector<bool> groups{false};  // whether the open group holds an unbounded repetition
    bool in_class = false, after_group = false, group_repeats = false;
    for (size_t i = 0; i < pattern.size(); ++i) {
      const char c = pattern[i];
      const bool repeats = !in_class && (c == '*' || c == '+');
      if (repeats && after_group && group_repeats) return true;
      after_group = false;
      if (c == '\\') {
        ++i;
      } else if (in_class) {
        in_class = c != ']';
      } else if (c == '[') {
        in_class = true;
      } else if (c == '(') {
        groups.push_back(false);
      } else if (c == ')' && groups.size() > 1) {
        group_repeats = groups.back();
        groups.pop_back();
        after_group = true;
        if (group_repeats) groups.back() = true;
      } else if (repeats) {
        groups.back() = true;
      }
    }
    return false;
  }

  void CheckTypes(const std::string& pointer, const json& type) {
    const auto known = [](const json& name) {
      return name.is_string() &&
             std::find(kTypes.begin(), kTypes.end(), name.get<std::string>()) != kTypes.end();
    };
    const bool fine = type.is_array() ? std::all_of(type.begin(), type.end(), known) : known(type);
    if (!fine)
      Fault(pointer, "the type " + type.dump() + " is not known",
            "known are object, array, string, number, integer, boolean, null");
  }

  void CheckReference(const std::string& pointer, const json& reference) {
    const std::string target = reference.is_string() ? reference.get<std::string>() : "";
    if (target.empty() || target.front() != '#')
      return Fault(pointer, "the reference " + reference.dump() + " leaves this file",
                   "only references inside a schema (#/definitions/…) are followed");
    const json* node = nullptr;
    try {
      node = &root_.at(json::json_pointer(target.substr(1)));
    } catch (const json::exception&) {
      return Fault(pointer, "the reference " + reference.dump() + " leads nowhere");
    }
    if (!following_.insert(target).second)
      return Fault(pointer, "the reference " + reference.dump() + " is circular",
                   "a schema may not contain itself here");
    Visit(*node, target.substr(1));
    following_.erase(target);
  }

  void Visit(const json& schema, const std::string& pointer) {
    if (schema.is_boolean()) return;
    if (!schema.is_object()) return Fault(pointer, "a schema must be an object, true or false");
    if (++visits_ > kMaxVisits || depth_ > kMaxDepth)
      return Fault("", "the schema is too large, or its references multiply");
    ++depth_;
    if (const auto reference = schema.find("$ref"); reference != schema.end())
      CheckReference(pointer + "/$ref", *reference);
    if (const auto type = schema.find("type"); type != schema.end())
      CheckTypes(pointer + "/type", *type);
    for (const auto name : kLaterKeywords)
      if (schema.contains(std::string(name)))
        Fault(pointer + "/" + std::string(name),
              "the keyword \"" + std::string(name) + "\" is of a later draft than 7",
              "it would not be checked; write it with the keywords of draft 7");
    if (const auto pattern = schema.find("pattern");
        pattern != schema.end() && pattern->is_string())
      CheckRegex(pointer + "/pattern", pattern->get<std::string>());
    if (const auto format = schema.find("format"); format != schema.end())
      if (!format->is_string() || !IsKnownFormat(format->get<std::string>()))
        Fault(pointer + "/format", "the format " + format->dump() + " is not checked here",
              "checked are date-time, date, time, email, uuid, ipv4, ipv6, uri, hostname");
    VisitBelow(schema, pointer);
    --depth_;
  }

  void VisitBelow(const json& schema, const std::string& pointer) {
    for (const auto name : kOne) {
      const auto below = schema.find(std::string(name));
      if (below != schema.end() && !below->is_array() && name != "dependencies")
        Visit(*below, pointer + "/" + std::string(name));
    }
    for (const auto name : kArrays) {
      const auto below = schema.find(std::string(name));
      if (below == schema.end() || !below->is_array()) continue;
      for (size_t i = 0; i < below->size(); ++i)
        Visit((*below)[i], pointer + "/" + std::string(name) + "/" + std::to_string(i));
    }
    for (const auto name : kObjects) {
      const auto below = schema.find(std::string(name));
      if (below == schema.end() || !below->is_object()) continue;
      for (const auto& [key, value] : below->items()) {
        const std::string at = pointer + "/" + std::string(name) + "/" + Escaped(key);
        if (name == "patternProperties") CheckRegex(at, key);
        if (!value.is_array()) Visit(value, at);
      }
    }
  }

  const json& root_;
  std::vector<SchemaFault> faults_;
  std::set<std::string> reported_;
  std::set<std::string> following_;
  size_t visits_ = 0;
  size_t depth_ = 0;
};

}  // namespace

std::vector<SchemaFault> LintSchema(const nlohmann::json& schema) { return Lint(schema).Run(); }

}  // namespace outrigger::event
