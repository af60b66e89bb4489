#include "config/field.h"

namespace outrigger::config {
namespace {

// The parts of the contract that are not built yet: their names, forms and defaults, for the schema
// and for the error that names them. When a part is built its fields move to a source of their own,
// bound to a struct.

Json Described(Json schema, std::string doc) {
  schema["description"] = std::move(doc);
  return schema;
}

Json WithDefault(Json schema, Json given) {
  schema["default"] = std::move(given);
  return schema;
}

Json WholeSchema(int least) { return {{"type", "integer"}, {"minimum", least}}; }

using Member = std::pair<std::string, Json>;

Json ObjectSchema(std::vector<Member> members, std::vector<std::string> required = {}) {
  Json schema = {{"type", "object"}};
  for (auto& [name, member] : members) schema["properties"][name] = std::move(member);
  schema["additionalProperties"] = false;
  if (!required.empty()) schema["required"] = std::move(required);
  return schema;
}

Json ListOf(Json items) { return {{"type", "array"}, {"items", std::move(items)}}; }

Json TopicsSchema() {
  return ListOf(ObjectSchema(
      {{"name", Described(TextSchema(), "The topic.")},
       {"partitions", Described(WholeSchema(1), "How many partitions it has.")},
       {"replicas", Described(WholeSchema(1), "How many brokers hold each.")},
       {"config", Described({{"type", "object"}}, "Topic settings, Kafka's names.")},
       {"manage",
        Described(WithDefault({{"type", "boolean"}}, false), "true: reconciled to this.")}},
      {"name"}));
}

}  // namespace

std::vector<Field<Config>> LaterFields() {
  return {
      Later<Config>("topics", TopicsSchema(), "Topics as they should be."),
      Later<Config>(
          "spool",
          ObjectSchema(
              {{"path", Described(TextSchema(), "A folder. Default: none, the spool is off.")},
               {"maxBytes", Described(WithDefault(SizeSchema(), "1GiB"), "The most it takes.")},
               {"after", Described(WithDefault(DurationSchema(), "250ms"),
                                   "How long Kafka may take before an event goes to disk.")}}),
          "Where events wait while Kafka is slow or away."),
  };
}

}  // namespace outrigger::config
