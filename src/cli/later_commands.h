// Commands that Outrigger is going to have: whoever tries one is told so, and what does its work
// until then.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace CLI {
class App;
}

namespace outrigger::cli {

// Each command and what to use meanwhile. They take whatever is written behind them, and no help
// lists them.
std::vector<std::pair<CLI::App*, std::string>> AddLaterCommands(CLI::App& app);

}  // namespace outrigger::cli
