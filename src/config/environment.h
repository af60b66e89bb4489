// The environment variables that override the file.
//
// Thread: any. An empty variable counts as not set, as a chart's unset value arrives.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"
#include "config/load.h"

namespace outrigger::config {

// Puts the variables' values into `kafka`. Returns "NAME=value" lines of those that are set, for
// the generation.
std::string ApplyEnvironment(const Environment& environment, Kafka& kafka,
                             std::vector<Problem>& problems);

}  // namespace outrigger::config
