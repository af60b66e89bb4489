#include "event/schema_values.h"

#include <algorithm>
#include <array>
#include <bit>

#include "event/formats.h"
#include "event/json_number.h"
#include "event/regex.h"

namespace outrigger::event {
namespace {

constexpr std::array<std::string_view, 7> kTypes{"null",  "boolean", "number", "string",
                                                 "array", "object",  "integer"};
constexpr size_t kInteger = 6;  // the others are in the order of JsonKind

class Type : public Keyword {
 public:
  Type(unsigned types, bool draft4) : types_(types), draft4_(draft4) {}

  bool Check(JsonNode value, SchemaRun& run, Evaluated*) const override {
    if (types_ >> static_cast<unsigned>(value.kind()) & 1U) return true;
    if (types_ >> kInteger & 1U && value.kind() == JsonKind::kNumber && IsInteger(value.text()))
      return true;
    return run.Fail([&] { return "is " + Is(value) + ", and the schema requires " + Asked(); });
  }

 private:
  // Draft 4 knows an integer by how it is written, the later ones by its value.
  bool IsInteger(std::string_view number) const {
    return draft4_ ? number.find_first_of(".eE") == std::string_view::npos
                   : JsonNumber(number).IsInteger();
  }

  static std::string Is(JsonNode value) {
    if (value.kind() == JsonKind::kNumber) return "the number " + Excerpt(value.text());
    return std::string(Describe(value.kind()));
  }

  std::string Asked() const {
    std::string asked;
    for (size_t i = 0; i < kTypes.size(); ++i)
      if (types_ >> i & 1U) asked.append(asked.empty() ? "" : " or ").append(kTypes[i]);
    return asked;
  }

  unsigned types_;
  bool draft4_;
};

bool Less(JsonNode a, JsonNode b) { return a.Compare(b) < 0; }

class Enum : public Keyword {
 public:
  explicit Enum(JsonNode values) {
    for (size_t i = 0; i < values.size(); ++i) values_.push_back(values[i]);
    std::sort(values_.begin(), values_.end(), Less);
  }

  bool Check(JsonNode value, SchemaRun& run, Evaluated*) const override {
    if (!run.Step(std::bit_width(values_.size()) + value.text().size() / 32)) return false;
    if (std::binary_search(values_.begin(), values_.end(), value, Less)) return true;
    return run.Fail([&] {
      return Shown(value) + " is none of the " + std::to_string(values_.size()) +
             " values that the schema lists";
    });
  }

 private:
  std::vector<JsonNode> values_;  // in order
};

class Const : public Keyword {
 public:
  explicit Const(JsonNode asked) : asked_(asked) {}

  bool Check(JsonNode value, SchemaRun& run, Evaluated*) const override {
    if (!run.Step(value.text().size() / 32)) return false;
    if (value.Compare(asked_) == 0) return true;
    return run.Fail(
        [&] { return Shown(value) + " is not " + Shown(asked_) + ", which the schema requires"; });
  }

 private:
  JsonNode asked_;
};

class Bound : public Keyword {
 public:
  Bound(JsonNode bound, bool upper, bool exclusive)
      : number_(bound.text()), text_(bound.text()), upper_(upper), exclusive_(exclusive) {}

  bool Check(JsonNode value, SchemaRun& run, Evaluated*) const override {
    if (value.kind() != JsonKind::kNumber) return true;
    if (!run.Step(value.text().size() / 16)) return false;
    const int order = JsonNumber(value.text()).Compare(number_);
    if (exclusive_ ? (upper_ ? order < 0 : order > 0) : (upper_ ? order <= 0 : order >= 0))
      return true;
    return run.Fail([&] {
      return Excerpt(value.text()) + " is not " +
             (exclusive_ ? (upper_ ? "less than " : "more than ")
                         : (upper_ ? "at most " : "at least ")) +
             Excerpt(text_);
    });
  }

 private:
  JsonNumber number_;
  std::string_view text_;
  bool upper_;
  bool exclusive_;
};

class MultipleOf : public Keyword {
 public:
  explicit MultipleOf(JsonNode divisor) : divisor_(divisor.text()), text_(divisor.text()) {}

  bool Check(JsonNode value, SchemaRun& run, Evaluated*) const override {
    if (value.kind() != JsonKind::kNumber) return true;
    if (!run.Step(value.text().size())) return false;
    if (JsonNumber(value.text()).IsMultipleOf(divisor_)) return true;
    return run.Fail(
        [&] { return Excerpt(value.text()) + " is not a multiple of " + Excerpt(text_); });
  }

 private:
  JsonNumber divisor_;
  std::string_view text_;
};

class Length : public Keyword {
 public:
  Length(size_t bound, bool upper) : bound_(bound), upper_(upper) {}

  bool Check(JsonNode value, SchemaRun& run, Evaluated*) const override {
    if (value.kind() != JsonKind::kString) return true;
    const std::string_view text = value.text();
    if (!run.Step(text.size() / 32)) return false;
    const auto length = static_cast<size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
    if (upper_ ? length <= bound_ : length >= bound_) return true;
    return run.Fail([&] {
      return "has " + std::to_string(length) + " characters, and the schema requires at " +
             (upper_ ? "most " : "least ") + std::to_string(bound_);
    });
  }

 private:
  size_t bound_;
  bool upper_;
};

class Pattern : public Keyword {
 public:
  Pattern(Regex regex, std::string_view text) : regex_(std::move(regex)), text_(text) {}

  bool Check(JsonNode value, SchemaRun& run, Evaluated*) const override {
    if (value.kind() != JsonKind::kString) return true;
    if (!run.Step(regex_.Cost(value.text()) / kStepNanoseconds)) return false;
    if (regex_.Matches(value.text())) return true;
    return run.Fail(
        [&] { return Shown(value) + " does not match the pattern \"" + Excerpt(text_) + "\""; });
  }

 private:
  Regex regex_;
  std::string_view text_;
};

class Format : public Keyword {
 public:
  Format(std::string_view name, FormatCheck has) : name_(name), has_(has) {}

  bool Check(JsonNode value, SchemaRun& run, Evaluated*) const override {
    if (value.kind() != JsonKind::kString) return true;
    if (!run.Step(FormatCost(name_, value.text()) / kStepNanoseconds)) return false;
    if (has_(value.text())) return true;
    return run.Fail(
        [&] { return Shown(value) + " does not have the format " + std::string(name_); });
  }

 private:
  std::string_view name_;
  FormatCheck has_;
};

}  // namespace

std::unique_ptr<Keyword> MakeType(JsonNode, JsonNode value, KeywordBuilder& builder) {
  unsigned types = 0;
  const auto add = [&](JsonNode name) {
    const auto* const known = std::find(kTypes.begin(), kTypes.end(), name.text());
    if (name.kind() == JsonKind::kString && known != kTypes.end()) {
      types |= 1U << static_cast<unsigned>(known - kTypes.begin());
    } else {
      builder.Fault(value, "the type " + Shown(name) + " is not known",
                    "known are object, array, string, number, integer, boolean, null");
    }
  };
  if (value.kind() == JsonKind::kArray) {
    for (size_t i = 0; i < value.size(); ++i) add(value[i]);
  } else {
    add(value);
  }
  return std::make_unique<Type>(types, builder.draft() == Draft::k4);
}

std::unique_ptr<Keyword> MakeEnum(JsonNode, JsonNode value, KeywordBuilder& builder) {
  if (!builder.Expect(value, JsonKind::kArray)) return nullptr;
  return std::make_unique<Enum>(value);
}

std::unique_ptr<Keyword> MakeConst(JsonNode, JsonNode value, KeywordBuilder&) {
  return std::make_unique<Const>(value);
}

std::unique_ptr<Keyword> MakeBound(JsonNode schema, JsonNode value, KeywordBuilder& builder) {
  const bool upper = value.name().ends_with("aximum");
  bool exclusive = value.name().starts_with("exclusive");
  if (builder.draft() == Draft::k4) {
    // There exclusiveMinimum is what minimum means.
    if (exclusive) {
      builder.Expect(value, JsonKind::kBoolean);
      return nullptr;
    }
    const auto sharp = schema.Find(upper ? "exclusiveMaximum" : "exclusiveMinimum");
    exclusive = sharp && sharp->IsTrue();
  }
  if (!builder.Expect(value, JsonKind::kNumber)) return nullptr;
  return std::make_unique<Bound>(value, upper, exclusive);
}

std::unique_ptr<Keyword> MakeMultipleOf(JsonNode, JsonNode value, KeywordBuilder& builder) {
  if (!builder.Expect(value, JsonKind::kNumber)) return nullptr;
  if (!JsonNumber(value.text()).IsDivisor()) {
    builder.Fault(value, "\"multipleOf\" must be more than 0, with at most 18 significant digits");
    return nullptr;
  }
  return std::make_unique<MultipleOf>(value);
}

std::unique_ptr<Keyword> MakeLength(JsonNode, JsonNode value, KeywordBuilder& builder) {
  return std::make_unique<Length>(builder.Size(value), value.name().starts_with("max"));
}

std::unique_ptr<Keyword> MakePattern(JsonNode, JsonNode value, KeywordBuilder& builder) {
  if (!builder.Expect(value, JsonKind::kString)) return nullptr;
  return std::make_unique<Pattern>(builder.CompileRegex(value, value.text()), value.text());
}

std::unique_ptr<Keyword> MakeFormat(JsonNode, JsonNode value, KeywordBuilder& builder) {
  if (!builder.strict()) return nullptr;
  const FormatCheck check = value.kind() == JsonKind::kString ? FindFormat(value.text()) : nullptr;
  if (!check) {
    builder.Fault(value, "the format " + Shown(value) + " is not checked here",
                  "checked are " + KnownFormats());
    return nullptr;
  }
  return std::make_unique<Format>(value.text(), check);
}

}  // namespace outrigger::event
