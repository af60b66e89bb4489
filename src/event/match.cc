#include "event/match.h"

#include <algorithm>

#include "event/attributes.h"
#include "event/path.h"

namespace outrigger::event {
namespace {

std::string_view HeaderValue(const Event& event, const std::string& name) {
  for (const auto& header : event.headers)
    if (header.name == name && header.value) return *header.value;
  return {};
}

// Behind the UTF-8 character at `at`.
size_t NextCharacter(std::string_view text, size_t at) {
  for (++at; at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;) ++at;
  return at;
}

}  // namespace

JsonPath SplitPath(std::string_view dotted) {
  JsonPath path(1);
  for (const char c : dotted) {
    if (c == '.') {
      path.emplace_back();
    } else {
      path.back().push_back(c);
    }
  }
  return path;
}

bool GlobMatches(std::string_view glob, std::string_view text) {
  // Greedy with one point to go back to: the last star. Never worse than glob times text.
  size_t g = 0, t = 0, star = std::string_view::npos, resume = 0;
  while (t < text.size()) {
    if (g < glob.size() && (glob[g] == '?' || glob[g] == text[t]) && glob[g] != '*') {
      t = glob[g] == '?' ? NextCharacter(text, t) : t + 1;
      ++g;
    } else if (g < glob.size() && glob[g] == '*') {
      star = g++;
      resume = t;
    } else if (star != std::string_view::npos) {
      g = star + 1;
      t = resume = NextCharacter(text, resume);
    } else {
      return false;
    }
  }
  while (g < glob.size() && glob[g] == '*') ++g;
  return g == glob.size();
}

// A part that is absent, null or not a scalar matches nothing, not even "*".
static bool Holds(std::string_view glob, std::string_view text) {
  return !text.empty() && GlobMatches(glob, text);
}

Match Match::Compile(const config::Match& from, std::vector<config::Problem>& problems) {
  using On = Condition::On;
  Match match;
  const auto add = [&](On on, std::string name, const config::Text& glob) {
    if (glob.value.empty())
      problems.push_back(
          {glob.place, glob.path, "the pattern is empty", "\"*\" matches every value"});
    match.conditions_.push_back(
        {on, name, on == On::kData ? SplitPath(name) : JsonPath(), glob.value});
  };
  if (from.type) add(On::kType, "type", *from.type);
  if (from.source) add(On::kSource, "source", *from.source);
  if (from.subject) add(On::kSubject, "subject", *from.subject);
  if (from.version) add(On::kVersion, "version", *from.version);
  for (const auto& [name, glob] : from.headers) add(On::kHeader, name, glob);
  for (const auto& [name, glob] : from.extensions) {
    add(On::kExtension, name, glob);
    if (!IsAttributeName(name))
      problems.push_back({glob.place, glob.path, "no event has an extension of this name",
                          "their names hold lower-case letters and digits alone"});
  }
  for (const auto& [path, glob] : from.data) add(On::kData, path, glob);
  return match;
}

base::Result<std::string> Match::Text(const Condition& condition, const Event& event, Data& data) {
  using On = Condition::On;
  switch (condition.on) {
    case On::kType:
      return event.type;
    case On::kSource:
      return event.source;
    case On::kSubject:
      return event.subject;
    case On::kVersion:
      return event.version;
    case On::kHeader:
      return std::string(HeaderValue(event, condition.name));
    case On::kExtension:
      return std::string(event.Extension(condition.name));
    case On::kData:
      break;
  }
  auto value = data.At(condition.path);
  if (!value) return base::Fail(value.error());
  return std::move(value->text);
}

base::Result<bool> Match::Matches(const Event& event, Data& data) const {
  base::Result<bool> matches = true;
  for (const auto& condition : conditions_) {
    if (condition.on == Condition::On::kType) {
      // The most frequent condition, and it needs no copy.
      if (!GlobMatches(condition.glob, event.type)) return false;
      continue;
    }
    auto text = Text(condition, event, data);
    if (!text) {
      matches = base::Fail(text.error());
    } else if (!Holds(condition.glob, *text)) {
      return false;
    }
  }
  return matches;
}

bool Match::Excludes(const Event& event, Data& data) const {
  return std::any_of(conditions_.begin(), conditions_.end(), [&](const Condition& condition) {
    const auto text = Text(condition, event, data);
    const bool known = text && (!text->empty() || condition.on == Condition::On::kHeader);
    return known && !Holds(condition.glob, *text);
  });
}

base::Result<std::string> Match::WhyNot(const Event& event, Data& data) const {
  for (const auto& condition : conditions_) {
    auto text = Text(condition, event, data);
    if (!text) return base::Fail(text.error());
    if (Holds(condition.glob, *text)) continue;
    using On = Condition::On;
    const char* kind = condition.on == On::kData        ? "data."
                       : condition.on == On::kHeader    ? "header."
                       : condition.on == On::kExtension ? "extension."
                                                        : "";
    return kind + condition.name + " is " + (text->empty() ? "absent" : "\"" + *text + "\"") +
           ", not \"" + condition.glob + "\"";
  }
  return std::string();
}

Match::TypeShape Match::type_shape() const {
  TypeShape shape;
  for (const auto& condition : conditions_) {
    if (condition.on != Condition::On::kType) continue;
    const size_t wild = condition.glob.find_first_of("*?");
    if (wild == std::string::npos) {
      shape.exact = condition.glob;
    } else if (condition.glob[wild] == '*' && wild + 1 == condition.glob.size()) {
      shape.prefix = condition.glob.substr(0, wild);
    }
  }
  return shape;
}

}  // namespace outrigger::event
