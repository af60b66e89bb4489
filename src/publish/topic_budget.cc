#include "publish/topic_budget.h"

#include <utility>

namespace outrigger::publish {

void TopicBudget::Keep(const std::vector<Rule>& rules) {
  decltype(topics_by_template_) kept;
  for (const auto& rule : rules) kept.insert(topics_by_template_.extract(rule.topic.text()));
  topics_by_template_ = std::move(kept);
}

std::string TopicBudget::Take(const Rule& rule, const std::string& topic) {
  if (rule.topic.constant()) return {};
  auto& topics = topics_by_template_[rule.topic.text()];
  if (topics.contains(topic)) return {};
  if (topics.size() >= rule.max_topics)
    return rule.path + ".topic has given " + std::to_string(topics.size()) +
           " topics already, and \"" + topic + "\" would be one more than maxTopics allows";
  topics.insert(topic);
  return {};
}

}  // namespace outrigger::publish
