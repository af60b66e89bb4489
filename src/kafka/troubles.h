// What keeps a consumer from its records: each trouble from when it begins until it ends by itself.
//
// Pure. One trouble never hides or ends another: what a person is shown is all of them. Thread: the
// loop's.
#pragma once

#include <compare>
#include <map>
#include <string>
#include <vector>

namespace outrigger::kafka {

// In the order in which they are told: what explains the others comes first.
enum class Trouble {
  kFenced,        // another member of the group has our group.instance.id
  kClient,        // the client had a fatal error and is made again
  kGroup,         // the group refuses us
  kTopicMissing,  // a topic, or one of ^expression, is not there
  kTopicRefused,  // the cluster does not tell of a topic
  kFetchRefused,  // a partition may not be read
  kPosition,      // where a partition goes on is not known
  kNotJoined,     // the group can be reached, and has not taken us in for long
  kNotFetching,   // a partition has more records, and none of them come
};

class Troubles {
 public:
  struct Entry {
    Trouble trouble;
    std::string where;  // the topic or partition; empty: all of the consumer
    std::string text;

    auto operator<=>(const Entry&) const = default;
  };

  // Each returns whether anything changed. Begin again with another text replaces the text.
  bool Begin(Trouble trouble, const std::string& where, std::string text);
  bool End(Trouble trouble, const std::string& where);
  bool EndAll(Trouble trouble);

  bool holds(Trouble trouble) const;
  bool holds(Trouble trouble, const std::string& where) const;
  std::vector<Entry> all() const;

 private:
  std::map<std::pair<Trouble, std::string>, std::string> texts_;
};

}  // namespace outrigger::kafka
