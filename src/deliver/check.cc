#include "deliver/check.h"

#include <map>
#include <string>
#include <utility>

#include "deliver/commit_metadata.h"
#include "deliver/request.h"
#include "event/match.h"
#include "http/endpoint.h"

namespace outrigger::deliver {
namespace {

// An empty one was refused when the file was read.
void CheckUrl(const config::Text& url, std::vector<config::Problem>& problems) {
  if (url.value.empty()) return;
  if (auto destination = http::ParseDestination(url.value); !destination)
    problems.push_back({url.place, url.path, destination.error().message, {}});
  else
    HandlerPath::Compile({destination->path, url.place, url.path}, problems);
}

// Two names of one group that the metadata of commits could not tell apart: one in four billion.
void CheckIds(const std::vector<config::Subscription>& subscriptions,
              std::vector<config::Problem>& problems) {
  std::map<std::pair<std::string, uint32_t>, const config::Subscription*> known;
  for (const auto& each : subscriptions) {
    const auto [same, fresh] = known.try_emplace({each.group, SubscriptionId(each.name)}, &each);
    if (fresh || same->second->name == each.name) continue;
    problems.push_back({each.place, each.path + ".name",
                        "can't be told from `" + same->second->name + "` (" + same->second->path +
                            " on line " + std::to_string(same->second->place.line) +
                            ") in the commits of group `" + each.group + "`",
                        "choose another name"});
  }
}

}  // namespace

std::vector<config::Problem> Check(const config::Config& config) {
  std::vector<config::Problem> problems;
  CheckIds(config.subscriptions, problems);
  for (const auto& subscription : config.subscriptions) {
    CheckUrl(subscription.deliver.url, problems);
    event::Match::Compile(subscription.match, problems);
  }
  return problems;
}

}  // namespace outrigger::deliver
