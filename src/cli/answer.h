// The output of all commands: text for people, or with -o json JSON on standard output, failures
// included.
#pragma once

#include <vector>

#include "base/result.h"
#include "cli/commands.h"

namespace outrigger::cli {

// Reports why there is no answer: {"error","hint"}, and "problems" where a config has them.
void PrintError(const base::Error& error, bool as_json, Console& console,
                const std::vector<config::Problem>& problems = {});

// The problems of a config as a JSON list, on standard output.
void PrintAsJson(const std::vector<config::Problem>& problems, Console& console);

// The name under which problems show what was read from standard input.
constexpr char kStandardInput[] = "<standard input>";

// All bytes of a file; `-` is standard input.
base::Result<std::string> ReadInput(const std::string& file, Console& console);

// The config of a file; `-` is standard input, and relative paths in it start at the working
// folder.
config::Loaded LoadConfig(const std::string& file, Console& console);

}  // namespace outrigger::cli
