// What Subscription::Create would say against the subscriptions of a config, for `outrigger check`
// and a reload.
//
// Thread: any. No app and no broker is asked.
#pragma once

#include <vector>

#include "config/config.h"

namespace outrigger::deliver {

// Every place in a URL and every match that can't be compiled, with its place.
std::vector<config::Problem> Check(const config::Config& config);

}  // namespace outrigger::deliver
