// Options that several commands have.
//
// Thread: main's.
#pragma once

#include <string>

#include "base/result.h"
#include "cli/commands.h"

namespace CLI {
class App;
}

namespace outrigger::outbound {
struct SidecarAddress;
}

namespace outrigger::cli {

void AddConfig(CLI::App& command, std::string& file);
// "text" or "json".
void AddOutput(CLI::App& command, std::string& output);

// Which sidecar.
struct SidecarOptions {
  std::string url;
  std::string token_file;
};
void AddSidecar(CLI::App& command, SidecarOptions& options);
// Without options: $OUTRIGGER_URL, else `otherwise`.
base::Result<outbound::SidecarAddress> AddressOf(const SidecarOptions& options,
                                                 outbound::SidecarAddress otherwise,
                                                 const Console& console);

}  // namespace outrigger::cli
