// Records of a spool as text for people.
//
// Pure. A record is an object of the JSON that src/publish/README.md describes, "The spool by
// hand".
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "base/clock.h"

namespace outrigger::cli {

// The heading of the lines that RecordLine makes.
std::string RecordHeading(bool quarantine);
// id, topic, partition, key, bytes, age, event id; of the quarantine the reason, too.
std::string RecordLine(const nlohmann::ordered_json& record, bool quarantine, base::WallTime now);
// Everything, a line for each part, and the value.
std::string RecordText(const nlohmann::ordered_json& record, base::WallTime now);

}  // namespace outrigger::cli
