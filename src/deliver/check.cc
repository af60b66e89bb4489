#include "deliver/check.h"

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

}  // namespace

std::vector<config::Problem> Check(const config::Config& config) {
  std::vector<config::Problem> problems;
  for (const auto& subscription : config.subscriptions) {
    CheckUrl(subscription.deliver.url, problems);
    event::Match::Compile(subscription.match, problems);
  }
  return problems;
}

}  // namespace outrigger::deliver
