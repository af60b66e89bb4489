// What a running sidecar says of itself, joined into one picture: its conditions, and what its
// metrics mean for topics, subscriptions, groups and the spool.
//
// Pure.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "base/clock.h"
#include "cli/scrape.h"

namespace outrigger::cli {

// Of two looks at a sidecar, the later one's /status and /metrics; without `before`, what was
// counted since its start.
struct Looks {
  const nlohmann::ordered_json& status;
  const Scrape& now;
  const Scrape* before = nullptr;
  double seconds = 0;  // between the two
};

// {"generation","perSecond","conditions":[…],"memory":{…},"topics":[…],"subscriptions":[…],
// "groups":[…],"spool":{…}}; parts that the sidecar does not have are left out.
nlohmann::ordered_json StatusOf(const Looks& looks, base::WallTime now);

// The same for people, within 100 columns.
std::string StatusText(const nlohmann::ordered_json& status, base::WallTime now);

}  // namespace outrigger::cli
