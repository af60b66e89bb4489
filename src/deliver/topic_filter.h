// Which topics a subscription takes: those that it names and those that its regular expressions
// match, but never its own dead-letter topic by an expression.
//
// Expressions are POSIX extended ones, matched anywhere in the name but for the ^, as librdkafka
// does. Immutable. Thread: any.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"
#include "config/topic_pattern.h"

namespace outrigger::deliver {

class TopicFilter {
 public:
  explicit TopicFilter(const config::Subscription& subscription)
      : dead_letter_(subscription.dead_letter) {
    for (const config::Text& topic : subscription.topics) patterns_.emplace_back(topic.value);
  }

  bool Takes(const std::string& topic) const {
    for (const auto& pattern : patterns_)
      if (pattern.Takes(topic) && !(pattern.is_expression() && topic == dead_letter_)) return true;
    return false;
  }

 private:
  std::vector<config::TopicPattern> patterns_;
  const std::string dead_letter_;
};

}  // namespace outrigger::deliver
