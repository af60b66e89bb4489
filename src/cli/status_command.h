// `outrigger status`: what a running sidecar does, and what is wrong with it, by its ops port.
#pragma once

#include <chrono>
#include <string>

#include "cli/commands.h"

namespace CLI {
class App;
}

namespace outrigger::cli {

struct StatusOptions {
  std::string url;
  bool watch = false;
  std::chrono::seconds every{2};
};

CLI::App* AddStatus(CLI::App& app, StatusOptions& options, std::string& output);

// With `watch` until it is interrupted, or the sidecar does not answer. Exit code: 0; 1 no answer.
int Status(const StatusOptions& options, bool as_json, Console& console);

}  // namespace outrigger::cli
