// What a start with a config would be refused for beyond what config and publish can tell: for
// `outrigger check`, and for a reload, which must not promise a next start that fails.
//
// Thread: any; blocks for milliseconds. Needs no broker and opens no port.
#pragma once

#include <vector>

#include "config/config.h"

namespace outrigger::app {

// The subscriptions, and the properties and secrets of Kafka's clients.
std::vector<config::Problem> CheckClients(const config::Config& config);

}  // namespace outrigger::app
