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
constexpr std::array<std::string_view, 6> kNotInDraft4{"const", "contains", "propertyNames",
                                                       "if",    "then",     "else"};
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

// Behind the atom of a regular expression that begins at `at`: a character, an escape, a class or a
// group.
size_t SkipAtom(std::string_view pattern, size_t at) {
  size_t depth = 0;
  for (; at < pattern.size(); ++at) {
    const char c = pattern[at];
    if (c == '\\') {
      ++at;
    } else if (c == '[') {
      ++at;
      if (at < pattern.size() && pattern[at] == '^') ++at;
      if (at < pattern.size() && pattern[at] == ']') ++at;
      for (; at < pattern.size() && pattern[at] != ']'; ++at)
        if (pattern[at] == '\\') ++at;
    } else if (c == '(') {
      ++depth;
    } else if (c == ')' && depth > 0) {
      --depth;
    }
    if (depth == 0) break;
  }
  return std::min(at + 1, pattern.size());
}

// Where the group that opens at `at` has its content: behind (, (?:, (?P<name>.
size_t ContentOf(std::string_view pattern, size_t at) {
  if (pattern.substr(at, 2) != "(?") return at + 1;
  return std::min(pattern.find_first_of(":>)", at), pattern.size() - 1) + 1;
}

bool RepeatsAt(std::string_view pattern, size_t at) {
  return at < pattern.size() && (pattern[at] == '*' || pattern[at] == '+');
}

// A group that is nothing but a repetition and is itself repeated without bound: (a+)+, (.*)*. Not
// (-[a-z]+)*, where the hyphen says which repetition a character belongs to.
bool NestedRepetition(std::string_view pattern) {
  for (size_t at = 0; at < pattern.size();) {
    if (pattern[at] != '(') {
      at = SkipAtom(pattern, at);
      continue;
    }
    size_t close = SkipAtom(pattern, at) - 1;
    size_t content = ContentOf(pattern, at);
    if (RepeatsAt(pattern, close + 1)) {
      // ((a+))+ is (a+)+.
      while (content < close && pattern[content] == '(' && SkipAtom(pattern, content) == close) {
        content = ContentOf(pattern, content);
        --close;
      }
      const size_t repetition = SkipAtom(pattern, content);
      const bool lazy = repetition + 1 < close && pattern[repetition + 1] == '?';
      if (RepeatsAt(pattern, repetition) && repetition + (lazy ? 2 : 1) == close) return true;
    }
    at = ContentOf(pattern, at);
  }
  return false;
}

class Lint {
 public:
  explicit Lint(const json& root) : root_(root), draft4_(IsDraft4(root)) {}

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
      return Fault(
          pointer,
          "the regular expression " + json(pattern).dump() + " is refused: " + regex.error(),
          "RE2 has no look-around and no back references");
    // RE2 takes time in proportion to the text whatever the expression; nested repetition is
    // refused all the same, since every other validator of the schema stalls on it.
    if (NestedRepetition(pattern))
      Fault(pointer, "the regular expression " + json(pattern).dump() + " repeats a repetition",
            "it takes exponential time in most validators; write (a+)+ as a+");
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
    for (const auto name : kNotInDraft4)
      if (draft4_ && schema.contains(std::string(name)))
        Fault(pointer + "/" + std::string(name),
              "the keyword \"" + std::string(name) + "\" is of a later draft than 4",
              "it would not be checked; let $schema name draft 7");
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
      if (below == schema.end()) continue;
      if (!below->is_array()) {
        if (name != "items")
          Fault(pointer + "/" + std::string(name),
                "\"" + std::string(name) + "\" must be an array");
        continue;
      }
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
  const bool draft4_;
  std::vector<SchemaFault> faults_;
  std::set<std::string> reported_;
  std::set<std::string> following_;
  size_t visits_ = 0;
  size_t depth_ = 0;
};

}  // namespace

bool IsDraft4(const json& schema) {
  if (!schema.is_object()) return false;
  const auto draft = schema.find("$schema");
  return draft != schema.end() && draft->is_string() &&
         draft->get<std::string>().find("draft-04") != std::string::npos;
}

std::vector<SchemaFault> LintSchema(const nlohmann::json& schema) { return Lint(schema).Run(); }

}  // namespace outrigger::event
