// Dead-letter loops: from one subscription to the next, and back.
#include <algorithm>
#include <vector>

#include "config/field.h"
#include "config/topic_pattern.h"

namespace outrigger::config {
namespace {

class Loops {
 public:
  explicit Loops(const std::vector<Subscription>& all) : all_(all), topics_(all.size()) {
    for (size_t i = 0; i < all.size(); ++i)
      for (const Text& topic : all[i].topics) topics_[i].emplace_back(topic.value);
  }

  // The path of a dead-letter record of `from` back to it over subscriptions behind it in the file,
  // so that each loop is found once. Empty: there is none.
  std::vector<size_t> From(size_t from) const {
    std::vector<size_t> before(all_.size(), all_.size());  // by whom each was reached
    std::vector<size_t> reached{from};
    for (size_t next = 0; next < reached.size(); ++next) {
      for (size_t to = from; to < all_.size(); ++to) {
        if (before[to] != all_.size() || !Gives(reached[next], to)) continue;
        before[to] = reached[next];
        if (to == from) return Way(before, from);
        reached.push_back(to);
      }
    }
    return {};
  }

 private:
  // No subscription reads its own dead-letter topic: by name that is an error of its own, and a
  // regular expression skips them.
  bool Gives(size_t from, size_t to) const {
    const std::string& dead_letters = all_[from].dead_letter;
    return !dead_letters.empty() && dead_letters != all_[to].dead_letter &&
           std::any_of(topics_[to].begin(), topics_[to].end(),
                       [&](const TopicPattern& topic) { return topic.Takes(dead_letters); });
  }

  static std::vector<size_t> Way(const std::vector<size_t>& before, size_t from) {
    std::vector<size_t> way;
    for (size_t at = before[from]; at != from; at = before[at]) way.push_back(at);
    way.push_back(from);
    std::reverse(way.begin(), way.end());
    return way;
  }

  const std::vector<Subscription>& all_;
  std::vector<std::vector<TopicPattern>> topics_;
};

}  // namespace

void CheckDeadLetterLoops(const std::vector<Subscription>& subscriptions, Reading& reading) {
  static const YamlNode kNothing;
  const Loops loops(subscriptions);
  for (size_t i = 0; i < subscriptions.size(); ++i) {
    const std::vector<size_t> way = loops.From(i);
    if (way.empty()) continue;
    std::string text = Quoted(subscriptions[i].name);
    for (size_t n = 0; n < way.size(); ++n)
      text += " -> " + subscriptions[way[n]].dead_letter + " -> " +
              Quoted(subscriptions[n + 1 < way.size() ? way[n + 1] : i].name);
    const Subscription& first = subscriptions[i];
    reading.Error({kNothing, first.place.line, first.place.column, first.path + ".deadLetter"},
                  "makes a loop: " + text + "; an event that all of them fail would circulate",
                  "choose a dead-letter topic that no subscription of the loop reads");
  }
}

}  // namespace outrigger::config
