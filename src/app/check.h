// What a start with a config would be refused for beyond what config and publish can tell: for
// `outrigger check`, and for a reload, which must not promise a next start that fails.
//
// Thread: any; blocks for milliseconds. Needs no broker and opens no port.
#pragma once

#include <vector>

#include "config/load.h"

namespace outrigger::app {

// The subscriptions, and the properties and secrets of Kafka's clients; also of a config that has
// errors, as far as they leave something to check.
std::vector<config::Problem> CheckClients(const config::Loaded& loaded);

}  // namespace outrigger::app
