#include "config/field.h"

namespace outrigger::config {
namespace {

// The parts of the contract that are not built yet: their names, forms and defaults, for the schema and for the
// error that names them. When a part is built its fields move to a source of their own, bound to a struct.

Json Described(Json schema, std::string doc) {
  schema["description"] = std::move(doc);
  return schema;
}

Json WithDefault(Json schema, Json given) {
  schema["default"] = std::move(given);
  return schema;
}

Json WholeSchema(int least) { return {{"type", "integer"}, {"minimum", least}}; }
Json WholeSchema(int least, int given) { return WithDefault(WholeSchema(least), given); }

Json OneOf(std::vector<std::string> words, const std::string& given) {
  Json schema = {{"enum", std::move(words)}};
  return WithDefault(std::move(schema), given);
}

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
       {"manage", Described(WithDefault({{"type", "boolean"}}, false), "true: reconciled to this.")}},
      {"name"}));
}

Json DeliverSchema() {
  const Json health = ObjectSchema(
      {{"path", Described(TextSchema(), "What is asked. Default: nothing is.")},
       {"interval", Described(WithDefault(DurationSchema(), "5s"), "How often.")},
       {"timeout", Described(WithDefault(DurationSchema(), "1s"), "For the answer.")},
       {"failures", Described(WholeSchema(1, 3), "In a row, before the app counts as down.")}});
  return ObjectSchema(
      {{"url", Described(TextSchema(), "`http://127.0.0.1:3000/h/{type}` or `unix:/run/app.sock:/h/{type}`.")},
       {"mode", Described(OneOf({"binary", "structured", "batch", "raw"}, "binary"), "How events are sent.")},
       {"timeout", Described(WithDefault(DurationSchema(), "10s"), "For an attempt.")},
       {"concurrency", Described(WholeSchema(1, 64), "Attempts at once.")},
       {"health", Described(health, "How the app's health is asked for.")}},
      {"url"});
}

Json RetrySchema() {
  const Json backoff =
      ObjectSchema({{"initial", Described(WithDefault(DurationSchema(), "200ms"), "The first wait's bound.")},
                    {"max", Described(WithDefault(DurationSchema(), "30s"), "The longest wait.")}});
  return ObjectSchema(
      {{"attempts", Described(WholeSchema(1, 5), "How often an event is tried.")},
       {"backoff", Described(backoff, "Exponential, with full jitter.")},
       {"delays", Described(WithDefault(ListOf(DurationSchema()), Json::array()), "Later tries after the attempts.")}});
}

Json CircuitSchema() {
  const Json probe = ObjectSchema({{"initial", WithDefault(DurationSchema(), "1s")},
                                   {"max", WithDefault(DurationSchema(), "30s")}});
  return ObjectSchema(
      {{"failures", Described(WholeSchema(1, 20), "So many failures …")},
       {"keys", Described(WholeSchema(1, 5), "… over so many keys …")},
       {"window", Described(WithDefault(DurationSchema(), "30s"), "… in this time, and no success, open it.")},
       {"probe", Described(probe, "Waits between probes.")}});
}

Json SubscriptionsSchema(const Json& match) {
  const Json dedupe = ObjectSchema({{"entries", Described(WholeSchema(1), "Ids remembered.")},
                                    {"window", Described(DurationSchema(), "For how long.")}});
  return ListOf(ObjectSchema(
      {{"name", Described(TextSchema(), "Its name in metrics, in the pull API and in its group.")},
       {"topics", Described(TextsSchema(), "Topics, or a ^regex.")},
       {"group", Described(TextSchema(), "The consumer group. Default: `<groupId>.<name>`.")},
       {"match", Described(match, "Which events it is for.")},
       {"startFrom", Described(WithDefault(TextSchema(), "earliest"), "earliest, latest or an RFC 3339 time.")},
       {"deadLetter", Described(TextSchema(), "The topic for events that can't be delivered.")},
       {"ordering", Described(OneOf({"key", "partition", "none"}, "key"), "What is kept in order.")},
       {"deliver", Described(DeliverSchema(), "Where events are pushed to.")},
       {"replies", Described({{"enum", {"publish"}}}, "publish: an event in the answer is published.")},
       {"retry", Described(RetrySchema(), "What follows a failure that may pass.")},
       {"circuit", Described(CircuitSchema(), "When the app counts as half down.")},
       {"commitInterval", Described(WithDefault(DurationSchema(), "100ms"), "How often offsets are committed.")},
       {"dedupe", Described(dedupe, "Skips events that were done. Default: off.")}},
      {"name", "topics"}));
}

}  // namespace

std::vector<Field<Config>> LaterFields(const Json& match) {
  return {
      Later<Config>("topics", TopicsSchema(), "Topics as they should be."),
      Later<Config>("subscriptions", SubscriptionsSchema(match), "Which events the app gets, and how."),
      Later<Config>("spool",
                    ObjectSchema({{"path", Described(TextSchema(), "A folder. Default: none, the spool is off.")},
                                  {"maxBytes", Described(WithDefault(SizeSchema(), "1GiB"), "The most it takes.")},
                                  {"after", Described(WithDefault(DurationSchema(), "250ms"),
                                                      "How long Kafka may take before an event goes to disk.")}}),
                    "Where events wait while Kafka is slow or away."),
      Later<Config>("rebalance",
                    ObjectSchema({{"drain", Described(WithDefault(DurationSchema(), "5s"),
                                                      "How long a revoked partition may settle.")}}),
                    "What happens when partitions move between pods."),
  };
}

}  // namespace outrigger::config
