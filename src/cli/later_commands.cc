#include "cli/later_commands.h"

#include <CLI/CLI.hpp>

namespace outrigger::cli {
namespace {

struct Later {
  const char* name;
  const char* instead;
};

constexpr Later kLater[] = {
    {"tail", "kcat -C -b BROKERS -t TOPIC -J shows a topic's records with their headers"},
    {"dead-letters",
     "kcat -C -b BROKERS -t TOPIC -J lists them with the outrigger-error-* headers, and kcat -P "
     "with their key and ce_* headers publishes one again"},
    {"replay",
     "a subscription of another group with startFrom: an RFC 3339 time delivers from that time on"},
    {"bench", "./dev bench measures it, in a clone of the repository"},
};

}  // namespace

std::vector<std::pair<CLI::App*, std::string>> AddLaterCommands(CLI::App& app) {
  std::vector<std::pair<CLI::App*, std::string>> commands;
  for (const Later& later : kLater) {
    CLI::App* command = app.add_subcommand(later.name, "")->group("")->allow_extras();
    command->set_help_flag();
    commands.emplace_back(command, later.instead);
  }
  return commands;
}

}  // namespace outrigger::cli
