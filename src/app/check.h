// Checks of a config that need Kafka's client, the subscriptions and the disk, beyond those of
// config and publish: for `outrigger check`, and for a reload, which must not accept what the next
// start refuses.
//
// Thread: any; blocks for milliseconds. Needs no broker and opens no port.
#pragma once

#include <optional>
#include <vector>

#include "config/load.h"

namespace outrigger::app {

// The subscriptions, the properties and secrets of Kafka's clients, and spool.path, of which there
// are only warnings, as the disk may be another one than that of the sidecar; also of a config that
// has errors, as far as they leave something to check.
std::vector<config::Problem> CheckClients(const config::Loaded& loaded);

// Why this process could not make or use the folder spool.path; makes nothing.
std::optional<config::Problem> CheckSpoolPath(const config::Config& config);

}  // namespace outrigger::app
