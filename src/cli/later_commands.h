// Commands of later versions: they fail, and name an alternative.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace CLI {
class App;
}

namespace outrigger::cli {

// Each command and its alternative. They accept any arguments and are not listed in the help.
std::vector<std::pair<CLI::App*, std::string>> AddLaterCommands(CLI::App& app);

}  // namespace outrigger::cli
