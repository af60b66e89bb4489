// The rules of the config, compiled: which rule takes an event, and what a rule makes of it.
//
// Immutable; a reload builds another table and swaps it in whole. Thread: Build on any thread (it
// loads schemas and takes milliseconds to seconds), Select on the flow's.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "config/config.h"
#include "event/data.h"
#include "event/match.h"
#include "event/schema.h"
#include "event/template.h"
#include "telemetry/metrics.h"

namespace outrigger::publish {

// A member that is added to the data where it is absent.
struct Default {
  enum class Value { kJson, kNow, kId };
  event::JsonPath path;
  Value value;
  std::string json;  // kJson: the raw JSON
};

struct Rule {
  size_t index = 0;
  std::string path;  // "routes[3]"
  event::Match match;
  event::Template topic;
  std::optional<event::KeyRule> key;
  bool key_required = false;
  bool continues = false;
  std::vector<std::pair<std::string, event::Template>> headers;
  std::shared_ptr<const event::SchemaSet> schemas;
  config::OnInvalid on_invalid = config::OnInvalid::kReject;
  std::vector<Default> defaults;
  std::string dead_letter;
  config::RecordMode mode = config::RecordMode::kBinary;
  std::string version;
  uint32_t max_topics = 0;
  bool tombstones = false;
  config::RecordTime timestamp = config::RecordTime::kNow;
  config::Ack ack = config::Ack::kKafka;
};

class Routes {
 public:
  // Compiles every rule and loads its schemas; what can't be compiled goes to `problems`, and then
  // the table must not be used. Folders named by several rules are loaded once.
  static std::shared_ptr<const Routes> Build(const config::Config& config,
                                             std::vector<config::Problem>& problems);

  // The rules that take the event, in the order of the file: the first match, and the ones after it
  // as long as the last one says `continue`. Empty: no route. The cost does not grow with the
  // number of rules that name a type.
  base::Result<std::vector<const Rule*>> Select(const event::Event& event, event::Data& data) const;

  const std::vector<Rule>& rules() const { return rules_; }

 private:
  using Indexes = std::vector<uint32_t>;  // ascending

  void IndexRule(uint32_t index);

  std::vector<Rule> rules_;
  std::unordered_map<std::string, Indexes> by_type_;
  // "user.*" → "user."; looked up once for each length that occurs, of which there are few.
  std::unordered_map<std::string, Indexes> by_prefix_;
  std::vector<size_t> prefix_lengths_;
  Indexes rest_;
};

}  // namespace outrigger::publish
