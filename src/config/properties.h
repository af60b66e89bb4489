// Which librdkafka properties a config file may not set, because a promise of Outrigger's hangs on
// them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace outrigger::config {

struct Reserved {
  std::string reason;   // "decides whether a 200 is true"
  std::string instead;  // the field that sets it, or empty
};

// Nothing when `name` is free to be set. Whether librdkafka knows it is for the kafka room to say.
// A topic's property may have `topic.` before its name, as librdkafka takes it.
std::optional<Reserved> FindReserved(std::string_view name);

// A regular expression for the names of which FindReserved gives something.
std::string ReservedPattern();

}  // namespace outrigger::config
