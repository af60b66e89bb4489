#include "event/json.h"

#define SIMDJSON_EXCEPTIONS 0
#include <simdjson.h>

#include <algorithm>
#include <set>

#include "base/json_text.h"
#include "event/json_grammar.h"
#include "event/json_scan.h"

namespace outrigger::event {
namespace {

constexpr size_t kMaxDepth = 128;
// simdjson keeps up to ten bytes per byte of the longest text. Longer texts are checked by the
// grammar: slower, and without memory.
constexpr size_t kLongText = 1 << 20;

base::Failure NotJson(const std::string& what) {
  return base::Fail(base::Error::Invalid("not valid JSON: " + what));
}

// The encoding that `text` is in by its first bytes (as RFC 4627, section 3, tells them apart), or
// null. A JSON text begins with two ASCII characters, or is one.
const char* Utf16Or32(std::string_view text) {
  const auto begins = [text](std::string_view bytes) { return text.starts_with(bytes); };
  const auto zero = [text](size_t at) { return at < text.size() && text[at] == '\0'; };
  if (begins({"\0\0\xFE\xFF", 4}) || begins({"\xFF\xFE\0\0", 4})) return "UTF-32";
  if (begins("\xFE\xFF") || begins("\xFF\xFE")) return "UTF-16";
  if ((zero(0) && zero(1)) || (zero(1) && zero(2))) return "UTF-32";
  return zero(0) || zero(1) ? "UTF-16" : nullptr;
}

std::string WrongEncoding(const char* encoding) {
  return std::string("it looks like ") + encoding + ", and JSON is sent as UTF-8";
}

std::string NotUtf8(std::string_view text) {
  if (const char* encoding = Utf16Or32(text)) return WrongEncoding(encoding);
  return "a byte sequence is not UTF-8 at byte " + std::to_string(base::FindBadUtf8(text));
}

base::Failure Unexpected(const char* expected, std::string_view text) {
  const char c = text.front();
  const char* found = c == '{'               ? "an object"
                      : c == '['             ? "an array"
                      : c == '"'             ? "a string"
                      : c == 'n'             ? "null"
                      : c == 't' || c == 'f' ? "a boolean"
                                             : "a number";
  return base::Fail(
      base::Error::Invalid(std::string("a JSON ") + expected + " is expected, not " + found));
}

base::Failure Repeated(const std::string& name) {
  return base::Fail(
      base::Error::Invalid("the name \"" + base::Excerpt(name) + "\" appears twice in one object"));
}

// A repeated name replaces what was read under it.
using Below = std::vector<std::pair<std::string_view, std::vector<size_t>>>;
void Forget(size_t path, Below& below, std::vector<JsonValue>& values) {
  values[path] = {};
  for (auto& [object, deeper] : below) std::erase(deeper, path);
}

// Reads those of `paths` that begin, from `level` on, in the object `text`; `which` are their
// indexes.
base::Result<void> ReadLevel(std::string_view text, std::span<const JsonPath> paths, size_t level,
                             const std::vector<size_t>& which, JsonReader::Repeats repeats,
                             std::vector<JsonValue>& values) {
  base::Result<void> result;
  Below below;
  std::vector<bool> seen(which.size(), false);
  ForEachMember(text, [&](std::string_view name, std::string_view raw) {
    std::vector<size_t> deeper;
    for (size_t i = 0; i < which.size(); ++i) {
      const JsonPath& path = paths[which[i]];
      if (!NameIs(name, path[level])) continue;
      if (seen[i] && repeats == JsonReader::Repeats::kError) {
        result = Repeated(Unescape(name));
        return false;
      }
      if (seen[i]) Forget(which[i], below, values);
      seen[i] = true;
      if (path.size() == level + 1) {
        values[which[i]] = JsonReader::Value(raw);
      } else if (raw.front() == '{') {
        deeper.push_back(which[i]);
      }
    }
    if (!deeper.empty()) below.emplace_back(raw, std::move(deeper));
    return true;
  });
  if (!result) return result;
  for (const auto& [object, deeper] : below)
    if (auto read = ReadLevel(object, paths, level + 1, deeper, repeats, values); !read)
      return read;
  return {};
}

}  // namespace

struct JsonReader::Parsers {
  simdjson::dom::parser dom;
};

JsonReader::JsonReader() : parsers_(std::make_unique<Parsers>()) {
  // An allocation that fails shows up as a parse error later.
  [[maybe_unused]] const auto error = parsers_->dom.allocate(4096, kMaxDepth);
}
JsonReader::~JsonReader() = default;

base::Result<void> JsonReader::Check(std::string_view whole) {
  const std::string_view text = SkipMark(whole);
  const auto walk = [&]() -> base::Result<void> {
    // UTF-16 of plain text is UTF-8 as well, with zero bytes.
    if (const char* encoding = Utf16Or32(whole)) return NotJson(WrongEncoding(encoding));
    const std::string wrong = JsonGrammarProblem(text, kMaxDepth, whole.size() - text.size());
    if (!wrong.empty()) return NotJson(wrong);
    return {};
  };
  if (text.size() > kLongText) {
    if (!simdjson::validate_utf8(text.data(), text.size())) return NotJson(NotUtf8(whole));
    return walk();
  }
  simdjson::dom::element element;
  const auto error = parsers_->dom.parse(text.data(), text.size()).get(element);
  switch (error) {
    case simdjson::SUCCESS:
      return {};
    case simdjson::EMPTY:
      return NotJson("it is empty");
    case simdjson::UTF8_ERROR:
      return NotJson(NotUtf8(whole));
    case simdjson::CAPACITY:
    case simdjson::MEMALLOC:
      return NotJson(simdjson::error_message(error));
    default: {
      // A number beyond 64 bits is valid JSON all the same, and simdjson counts one level too many.
      // The walk also says where the error is.
      if (auto valid = walk(); !valid) return valid;
      if (error == simdjson::NUMBER_ERROR || error == simdjson::DEPTH_ERROR) return {};
      return NotJson(simdjson::error_message(error));
    }
  }
}

base::Result<std::vector<JsonReader::Member>> JsonReader::Members(std::string_view text) {
  if (auto valid = Check(text); !valid) return base::Fail(valid.error());
  text = TrimJson(text);
  if (text.front() != '{') return Unexpected("object", text);
  std::vector<Member> members;
  ForEachMember(text, [&](std::string_view name, std::string_view raw) {
    members.push_back({Unescape(name), raw});
    return true;
  });
  // An envelope has a handful of names, and comparing them is cheaper than any index.
  if (members.size() > 32) {
    std::set<std::string_view> names;
    for (const auto& member : members)
      if (!names.insert(member.name).second) return Repeated(member.name);
    return members;
  }
  for (size_t i = 1; i < members.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      if (members[i].name == members[j].name) return Repeated(members[i].name);
  return members;
}

base::Result<std::vector<std::string_view>> JsonReader::Items(std::string_view text, size_t most) {
  if (auto valid = Check(text); !valid) return base::Fail(valid.error());
  text = TrimJson(text);
  if (text.front() != '[') return Unexpected("array", text);
  std::vector<std::string_view> items;
  ForEachItem(text, [&](std::string_view raw) {
    items.push_back(raw);
    return items.size() <= most;
  });
  if (items.size() > most) {
    return base::Fail({base::Code::kTooLarge,
                       "the array has more than " + std::to_string(most) + " items",
                       {},
                       false});
  }
  return items;
}

JsonValue JsonReader::Value(std::string_view raw) {
  using Kind = JsonValue::Kind;
  if (raw.empty()) return {};
  switch (raw.front()) {
    case '"':
      return {Kind::kString, Unescape(raw.substr(1, raw.size() - 2))};
    case '{':
      return {Kind::kObject, {}};
    case '[':
      return {Kind::kArray, {}};
    case 'n':
      return {Kind::kNull, {}};
    case 't':
    case 'f':
      return {Kind::kBoolean, std::string(raw)};
    default:
      return {Kind::kNumber, std::string(raw)};
  }
}

base::Result<std::vector<JsonValue>> JsonReader::Read(std::string_view text,
                                                      std::span<const JsonPath> paths,
                                                      Repeats repeats) {
  std::vector<JsonValue> values(paths.size());
  text = TrimJson(text);
  if (text.empty() || text.front() != '{') return values;
  std::vector<size_t> all(paths.size());
  for (size_t i = 0; i < all.size(); ++i) all[i] = i;
  if (auto read = ReadLevel(text, paths, 0, all, repeats, values); !read)
    return base::Fail(read.error());
  return values;
}

}  // namespace outrigger::event
