// Texts with placeholders for values of an event: topics "{data.tenantId}.user.events", handler
// paths
// "/handlers/{type}".
//
// Placeholders: {type} {type.first} {source} {subject} {version} {id} {header.<name>}
// {extension.<name>} {data.<path>} {key}. "{{" and "}}" are braces. Compiled once from the config,
// immutable.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "event/data.h"
#include "event/event.h"

namespace outrigger::event {

class Template {
 public:
  static Template Compile(const config::Text& from, std::vector<config::Problem>& problems);

  bool constant() const;            // no placeholders: Render gives text() for every event
  const std::string& text() const;  // as written: the metrics label

  // The text for `event`. A missing or empty part, an object or an array is an error (kNotFound)
  // that names the placeholder.
  base::Result<std::string> Render(const Event& event, Data& data) const;

 private:
  struct Part {
    enum class Kind {
      kText,
      kType,
      kTypeFirst,
      kSource,
      kSubject,
      kVersion,
      kId,
      kHeader,
      kExtension,
      kData,
      kKey
    };
    Kind kind;
    std::string text;  // literal, header or extension name or data path as written
    JsonPath path;

    std::string Name() const;  // as rules write it
  };
  friend class KeyRule;

  static bool ReadPlace(std::string_view place, Part& part);
  static base::Result<JsonValue> ValueAt(const Part& part, const Event& event, Data& data);

  std::string text_;
  std::vector<Part> parts_;
};

// A key rule: one placeholder without braces, "data.userId", "subject", "header.tenant", or a
// template with braces.
class KeyRule {
 public:
  static KeyRule Compile(const config::Text& from, std::vector<config::Problem>& problems);

  // nullopt: a part is absent, null or empty. A number or boolean is its raw token; an object or
  // array is an error.
  base::Result<std::optional<std::string>> Key(const Event& event, Data& data) const;

 private:
  Template template_;
};

}  // namespace outrigger::event
