// The topics that each topic template has given: `maxTopics` bounds their number, since Kafka may
// create every topic that is published to.
//
// Thread: the flow's. Source: src/publish/README.md, "Routes".
#pragma once

#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "publish/routes.h"

namespace outrigger::publish {

class TopicBudget {
 public:
  // Over a reload: templates that no rule has any more are forgotten, the others keep their topics.
  void Keep(const std::vector<Rule>& rules);
  // Counts `topic`, which the rule's template has given. Not empty: the rule may not give another
  // topic, and this says so.
  std::string Take(const Rule& rule, const std::string& topic);

 private:
  std::unordered_map<std::string, std::unordered_set<std::string>> topics_by_template_;
};

}  // namespace outrigger::publish
