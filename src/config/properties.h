// The librdkafka properties that a config file may not set, because a promise of Outrigger depends
// on them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace outrigger::config {

struct Reserved {
  std::string reason;   // "decides whether a 200 is true"
  std::string instead;  // the field that sets it, or empty
};

// Nothing when `name` may be set. Whether librdkafka knows it is checked by the kafka room. The
// property of a topic may have the prefix `topic.`, as librdkafka accepts it.
std::optional<Reserved> FindReserved(std::string_view name);

// A regular expression for the names of which FindReserved gives something.
std::string ReservedPattern();

}  // namespace outrigger::config
