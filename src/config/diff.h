// What a reload from one config to another would do, field by field.
//
// Thread: any. Compares what is in force, defaults included, so a field that is written out with
// its default is no difference.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"

namespace outrigger::config {

struct Difference {
  std::string path;           // kafka.brokers, subscriptions.mail.deliver.url, routes[3]
  std::string before, after;  // as JSON; empty: there is none
  std::string effect;         // of the reload, for people
  bool at_next_start = false;
};

// `with_routes`: also those, of which there may be thousands.
std::vector<Difference> Diff(const Config& now, const Config& next, bool with_routes = true);

// The paths of the fields that are read at the start only and differ.
std::vector<std::string> AtNextStart(const Config& now, const Config& next);
// Copies those fields, as they are in force, to `next`.
void KeepUntilNextStart(const Config& now, Config& next);

}  // namespace outrigger::config
