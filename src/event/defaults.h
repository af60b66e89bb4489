// Members that a rule adds to data where they are absent; all other bytes stay as they are.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "event/json.h"

namespace outrigger::event {

// Adds each (path, raw JSON) that is absent in `data`, at the end of the object that it belongs to.
// A path into an object that is not there adds nothing; data that is no object stays as it is.
// Error: a repeated name where a path reads.
base::Result<std::string> StampDefaults(
    std::string data, const std::vector<std::pair<JsonPath, std::string>>& values);

}  // namespace outrigger::event
