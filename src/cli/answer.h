// What every command says in one way: text for people, or with -o json JSON on standard output,
// failures too.
#pragma once

#include <vector>

#include "base/result.h"
#include "cli/commands.h"

namespace outrigger::cli {

// Says why there is no answer.
void PrintError(const base::Error& error, bool as_json, Console& console);

// The problems of a config as a JSON list, on standard output.
void PrintAsJson(const std::vector<config::Problem>& problems, Console& console);

}  // namespace outrigger::cli
