// `outrigger run`: the sidecar from start to signal.
#pragma once

#include <string>

namespace outrigger::app {

// Blocks the signals that Run waits for, in this thread and those it starts. Before any thread.
void BlockSignals();

// Loads the config, starts, reloads when the file changes or on SIGHUP, drains on SIGTERM or
// SIGINT. Exit code: 0 drained; 1 it could not start, with the reason on standard error.
int Run(const std::string& config_file);

}  // namespace outrigger::app
