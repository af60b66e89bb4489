// What librdkafka says against the properties of a config, without a broker.
//
// Thread: any; blocks for the milliseconds that a client takes to be made. Reads the files that
// `kafka.security` names.
#pragma once

#include <vector>

#include "config/config.h"

namespace outrigger::kafka {

// Every property that is refused, with its place; else, with `make_clients`, why no client can be
// made of them together. Nothing where Kafka is disabled: no client is made then.
std::vector<config::Problem> Check(const config::Config& config, bool make_clients);

}  // namespace outrigger::kafka
