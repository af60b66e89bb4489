// Which events a rule is for: globs on attributes, headers, extensions and data. Compiled once from
// the config, immutable, shared between threads.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "event/data.h"
#include "event/event.h"

namespace outrigger::event {

// `*` is any run of characters, dots included; `?` is one character. Linear time: no backtracking
// explosion.
bool GlobMatches(std::string_view glob, std::string_view text);

class Match {
 public:
  // Reports what can't be compiled (an empty glob, an extension that no event can have) into
  // `problems`.
  static Match Compile(const config::Match& from, std::vector<config::Problem>& problems);

  // Whether `event` matches. An error only when data has to be read and is not readable (a repeated
  // name), and what can be read of the event matches.
  base::Result<bool> Matches(const Event& event, Data& data) const;

  // Of an event that could be read in part: whether what could be read does not match. An attribute
  // that is empty is not known.
  bool Excludes(const Event& event, Data& data) const;

  // The first condition that fails, for `explain`: "type is user.updated, not user.registered".
  // Empty: it matches.
  base::Result<std::string> WhyNot(const Event& event, Data& data) const;

  // Routing indexes by type: the type as an exact text, or the literal prefix of "prefix*". The
  // rest is neither.
  struct TypeShape {
    std::optional<std::string> exact;
    std::optional<std::string> prefix;
  };
  TypeShape type_shape() const;

 private:
  struct Condition {
    enum class On { kType, kSource, kSubject, kVersion, kHeader, kExtension, kData };
    On on;
    std::string name;  // of a header or extension, or the data path as written
    JsonPath path;
    std::string glob;
  };
  // What the condition looks at; empty when it is absent.
  static base::Result<std::string> Text(const Condition& condition, const Event& event, Data& data);

  std::vector<Condition> conditions_;
};

}  // namespace outrigger::event
