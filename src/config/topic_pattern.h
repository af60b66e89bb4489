// A topic of a subscription as librdkafka reads it: a name, or with a ^ a regular expression
// (POSIX, extended).
//
// Immutable. Thread: any.
#pragma once

#include <regex.h>

#include <memory>
#include <string>
#include <utility>

namespace outrigger::config {

class TopicPattern {
 public:
  // An expression that is none takes nothing: it is an error of the config.
  explicit TopicPattern(std::string text) : text_(std::move(text)) {
    if (!is_expression()) return;
    auto regex = std::make_unique<regex_t>();
    if (regcomp(regex.get(), text_.c_str(), REG_EXTENDED | REG_NOSUB) == 0)
      regex_.reset(regex.release());
  }

  bool is_expression() const { return text_.starts_with('^'); }
  bool Takes(const std::string& topic) const {
    if (!is_expression()) return text_ == topic;
    return regex_ && regexec(regex_.get(), topic.c_str(), 0, nullptr, 0) == 0;
  }

 private:
  struct Free {
    void operator()(regex_t* regex) const {
      regfree(regex);
      delete regex;
    }
  };

  std::string text_;
  std::unique_ptr<regex_t, Free> regex_;
};

}  // namespace outrigger::config
