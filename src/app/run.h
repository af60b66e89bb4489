// `outrigger run`: the sidecar from start to signal.
#pragma once

#include <string>

namespace outrigger::app {

// Loads the config, starts, reloads when the file changes or on SIGHUP, drains on SIGTERM or
// SIGINT. Exit code: 0 drained; 1 it could not start, with the reason on standard error; 128 and
// the signal's number when it came before there was anything to drain, or again while draining.
// Thread: main's, before any other is started: how signals are handled is set for all of them.
int Run(const std::string& config_file);

}  // namespace outrigger::app
