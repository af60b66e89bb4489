#include "publish/routes.h"

#include <algorithm>
#include <map>

#include "event/path.h"

namespace outrigger::publish {
namespace {

using config::Problem;

std::vector<Default> CompileDefaults(const config::Route& route) {
  std::vector<Default> defaults;
  for (const auto& [path, text] : route.defaults) {
    Default stamped{event::SplitPath(path), Default::Value::kJson, text.value};
    if (text.value == "$now") stamped.value = Default::Value::kNow;
    if (text.value == "$id") stamped.value = Default::Value::kId;
    defaults.push_back(std::move(stamped));
  }
  return defaults;
}

}  // namespace

std::shared_ptr<const Routes> Routes::Build(const config::Config& config,
                                            std::vector<Problem>& problems) {
  auto routes = std::make_shared<Routes>();
  std::map<std::string, std::shared_ptr<const event::SchemaSet>> sets;
  routes->rules_.reserve(config.routes.size());
  for (const auto& route : config.routes) {
    Rule rule;
    rule.index = routes->rules_.size();
    rule.path = route.path;
    rule.match = event::Match::Compile(route.match, problems);
    rule.topic = event::Template::Compile(route.topic, problems);
    if (route.key) rule.key = event::KeyRule::Compile(*route.key, problems);
    rule.key_required = route.key_required;
    rule.continues = route.continues;
    for (const auto& [name, text] : route.headers)
      rule.headers.emplace_back(name, event::Template::Compile(text, problems));
    if (route.schemas) {
      auto& set = sets[route.schemas->value];
      if (!set) set = event::SchemaSet::Load(route.schemas->value, route.schemas->place, problems);
      rule.schemas = set;
    }
    rule.on_invalid = route.on_invalid;
    rule.defaults = CompileDefaults(route);
    rule.dead_letter = route.dead_letter;
    rule.mode = route.mode;
    rule.version = route.version;
    rule.max_topics = route.max_topics;
    rule.tombstones = route.tombstones;
    rule.timestamp = route.timestamp;
    rule.ack = route.ack;
    routes->rules_.push_back(std::move(rule));
  }
  for (uint32_t index = 0; index < routes->rules_.size(); ++index) routes->IndexRule(index);
  return routes;
}

void Routes::IndexRule(uint32_t index) {
  const auto shape = rules_[index].match.type_shape();
  if (shape.exact) {
    by_type_[*shape.exact].push_back(index);
  } else if (shape.prefix && !shape.prefix->empty()) {
    by_prefix_[*shape.prefix].push_back(index);
    const size_t length = shape.prefix->size();
    if (std::find(prefix_lengths_.begin(), prefix_lengths_.end(), length) == prefix_lengths_.end())
      prefix_lengths_.push_back(length);
  } else {
    rest_.push_back(index);
  }
}

base::Result<std::vector<const Rule*>> Routes::Select(const event::Event& event,
                                                      event::Data& data) const {
  // Every list that may hold a match is in ascending order; walking them by their least front keeps
  // the file's order.
  std::vector<std::pair<const uint32_t*, const uint32_t*>> lists;
  const auto add = [&lists](const Indexes& indexes) {
    if (!indexes.empty()) lists.emplace_back(indexes.data(), indexes.data() + indexes.size());
  };
  lists.reserve(4);
  if (const auto found = by_type_.find(event.type); found != by_type_.end()) add(found->second);
  for (const size_t length : prefix_lengths_) {
    if (event.type.size() < length) continue;
    const auto found = by_prefix_.find(event.type.substr(0, length));
    if (found != by_prefix_.end()) add(found->second);
  }
  add(rest_);

  std::vector<const Rule*> selected;
  while (true) {
    auto least = std::min_element(lists.begin(), lists.end(), [](const auto& a, const auto& b) {
      if (a.first == a.second) return false;
      return b.first == b.second || *a.first < *b.first;
    });
    if (least == lists.end() || least->first == least->second) return selected;
    const Rule& rule = rules_[*least->first++];
    auto matches = rule.match.Matches(event, data);
    if (!matches) return base::Fail(matches.error());
    if (!*matches) continue;
    selected.push_back(&rule);
    if (!rule.continues) return selected;
  }
}

}  // namespace outrigger::publish
