// Checks of a config that need Kafka's client and the subscriptions, beyond those of config and
// publish: for `outrigger check`, and for a reload, which must not accept what the next start
// refuses.
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
