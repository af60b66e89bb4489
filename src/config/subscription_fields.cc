#include <regex.h>

#include <algorithm>
#include <cctype>
#include <unordered_map>

#include "config/field.h"

namespace outrigger::config {
namespace {

std::string ShowStart(const StartFrom& start) {
  if (start.at == StartFrom::At::kTime) return base::Rfc3339(start.time);
  return start.at == StartFrom::At::kLatest ? "latest" : "earliest";
}

constexpr Millis kInstant{1};
constexpr Millis kMinute{60'000};
constexpr Millis kHour{3'600'000};
constexpr size_t kLongestName = 249;  // a topic's bound; names are used in paths, groups and labels

using base::Error;
using Wrong = std::optional<Error>;

Wrong CheckName(const std::string& text) {
  const auto fits = [](unsigned char c) {
    return std::isalnum(c) || c == '.' || c == '_' || c == '-';
  };
  if (text.size() <= kLongestName && text != "." && text != ".." &&
      std::all_of(text.begin(), text.end(), fits))
    return std::nullopt;
  return Error::Invalid(Quoted(text) + " is not a name of a subscription",
                        "1 to 249 of the characters a-z, A-Z, 0-9, `.`, `_` and `-`");
}

// ---- topics

// As librdkafka compiles it. Repetitions in braces are refused: nested, they eat all memory.
Wrong CheckTopicRegex(const std::string& text) {
  if (text.size() > kLongestName)
    return Error::Invalid("has " + std::to_string(text.size()) + " characters", "at most 249");
  const size_t slash = text.find('\\');
  const bool back = slash != text.npos && slash + 1 < text.size() &&
                    std::isdigit(static_cast<unsigned char>(text[slash + 1]));
  if (back || text.find('{') != text.npos)
    return Error::Invalid(Quoted(text) + " uses `{` or a back reference, which can take forever",
                          "POSIX extended syntax without them");
  regex_t regex;
  const int error = regcomp(&regex, text.c_str(), REG_EXTENDED | REG_NOSUB);
  if (error == 0) {
    regfree(&regex);
    return std::nullopt;
  }
  char why[120];
  regerror(error, &regex, why, sizeof why);
  return Error::Invalid(Quoted(text) + " is not a regular expression: " + why,
                        "POSIX extended syntax");
}

Wrong CheckTopic(const std::string& text) {
  if (text.starts_with('^')) return CheckTopicRegex(text);
  Wrong wrong = CheckTopicName(text);
  if (wrong) wrong->hint += ", or a regular expression that starts with `^`";
  return wrong;
}

Json NameSchema() {
  return {{"pattern", "^[A-Za-z0-9._-]{1,249}$"},
          {"not", {{"type", "string"}, {"pattern", "^\\.{1,2}$"}}}};
}

// That it compiles, a schema can't say.
Json TopicsSchema() {
  Json topic = TextSchema();
  topic["pattern"] = "^(\\^[^{]*|[A-Za-z0-9._-]+)$";
  topic["maxLength"] = kLongestName;
  topic["not"] = {{"type", "string"}, {"pattern", "^__|^\\.{1,2}$|\\\\[0-9]"}};
  return {{"type", "array"}, {"minItems", 1}, {"uniqueItems", true}, {"items", topic}};
}

void ReadTopics(std::vector<Text>& topics, const Spot& spot, Reading& reading) {
  if (!IsList(spot, reading)) return;
  if (spot.value.items.empty()) reading.Error(spot, "is empty", "name at least one topic");
  for (const YamlNode* item : spot.value.items) {
    const Spot at{*item, item->line, item->column,
                  spot.path + "[" + std::to_string(topics.size()) + "]"};
    const std::string* text = reading.Filled(at);
    const auto same = [&](const Text& topic) { return text && topic.value == *text; };
    if (const Wrong wrong = text ? CheckTopic(*text) : std::nullopt)
      reading.Error(at, *wrong);
    else if (std::any_of(topics.begin(), topics.end(), same))
      reading.Error(at, Quoted(*text) + " appears here twice", "remove one");
    topics.push_back(reading.TextOf(at));
  }
}

constexpr const char* kStartPattern =
    "^(earliest|latest|[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,9})?"
    "([Zz]|[+-][0-9]{2}:[0-9]{2}))$";

void ReadStartFrom(StartFrom& start, const Spot& spot, Reading& reading) {
  const std::string* text = reading.Filled(spot);
  if (text == nullptr) return;
  if (*text == "earliest") {
    start = {};
  } else if (*text == "latest") {
    start = {StartFrom::At::kLatest};
  } else if (const auto time = ParseRfc3339(*text)) {
    start = {StartFrom::At::kTime, *time};
  } else {
    reading.Error(spot, "must be earliest, latest or a time, not " + Quoted(*text),
                  "a time in RFC 3339, like `2026-11-23T20:15:30Z`");
  }
}

Wrong CheckDeadLetter(const std::string& text) { return CheckTopicName(text); }

// ---- deliver

constexpr const char* kUrls =
    "like `http://127.0.0.1:3000/h/{type}` or `unix:/run/app.sock:/h/{type}`";

Wrong CheckUrl(std::string_view text) {
  const auto odd = [](unsigned char c) { return c <= ' ' || c == 0x7F || c == '#'; };
  if (std::any_of(text.begin(), text.end(), odd))
    return Error::Invalid(Quoted(text) + " has a blank, a control character or `#`", kUrls);
  if (text.starts_with("https://"))
    return Error::Invalid("https is not in this version", "the app runs in the same pod: use http");
  if (text.starts_with("unix:")) {
    const std::string_view path = text.substr(5, text.find(':', 5) - 5);
    const size_t end = 5 + path.size();
    const bool target = end == text.size() || text.substr(end).starts_with(":/");
    if (path.starts_with('/') && path.size() > 1 && path.size() <= 107 && target &&
        path.find('{') == path.npos)
      return std::nullopt;
    return Error::Invalid(Quoted(text) + " does not name a socket and a path",
                          "like `unix:/run/app.sock:/h/{type}`");
  }
  if (!text.starts_with("http://"))
    return Error::Invalid(Quoted(text) + " is neither http:// nor unix:", kUrls);
  const std::string_view host = text.substr(7, text.find_first_of("/?", 7) - 7);
  if (CheckBroker(host))
    return Error::Invalid(Quoted(text) + " does not name a host and a port", kUrls);
  return std::nullopt;
}

void ReadUrl(Text& value, const Spot& spot, Reading& reading) {
  const std::string* text = reading.Filled(spot);
  if (text == nullptr) return;
  if (const Wrong wrong = CheckUrl(*text))
    reading.Error(spot, *wrong);
  else
    value = reading.TextOf(spot);
}

Json UrlSchema() {
  const std::string target = "[^\\x00-\\x20\\x7f#]*";
  const std::string host = "(\\[[0-9a-fA-F:.]+\\]|[A-Za-z0-9_][A-Za-z0-9._-]*)(:[0-9]{1,5})?";
  return {{"type", "string"},
          {"pattern", "^(http://" + host + "([/?]" + target +
                          ")?|unix:/[^\\x00-\\x20\\x7f#:{]+(:/" + target + ")?)$"}};
}

Wrong CheckPath(const std::string& text) {
  const auto odd = [](unsigned char c) { return c <= ' ' || c == 0x7F || c == '#'; };
  if (text.starts_with('/') && std::none_of(text.begin(), text.end(), odd)) return std::nullopt;
  return Error::Invalid(Quoted(text) + " is not a path", "like `/healthz`");
}

const Mapping<AppHealth>& HealthFields() {
  static const Mapping<AppHealth> fields = {
      .fields = {TextField("path", &AppHealth::path, "The path of the health check.", CheckPath)
                     .Required()
                     .Also({{"type", "string"}, {"pattern", "^/[^\\x00-\\x20\\x7f#]*$"}}),
                 Duration("interval", &AppHealth::interval, Millis(10), kHour,
                          "The time between two health checks."),
                 Duration("timeout", &AppHealth::timeout, kInstant, kHour,
                          "How long its answer may take."),
                 Whole("failures", &AppHealth::failures, 1, 1000,
                       "How many fail in a row before the app counts as down.")}};
  return fields;
}

void ReadHealth(std::optional<AppHealth>& value, const Spot& spot, Reading& reading) {
  HealthFields().Read(value.emplace(), spot, reading);
}

Mapping<Deliver> DeliverFields() {
  const Choices<DeliverMode> modes{{{"binary", DeliverMode::kBinary},
                                    {"structured", DeliverMode::kStructured},
                                    {"raw", DeliverMode::kRaw}},
                                   {"batch"},
                                   "an event is a request of its own"};
  return {.fields = {
              ScalarField("url", &Deliver::url,
                          std::string("Where events are posted, a template: ") + kUrls + ".",
                          UrlSchema(), ReadUrl)
                  .Required(),
              Choice("mode", &Deliver::mode, modes,
                     "The form of the request: attributes as headers, one JSON document, or the "
                     "record as it is."),
              Duration("timeout", &Deliver::timeout, kInstant, kHour,
                       "How long the app may take for one attempt."),
              Whole("concurrency", &Deliver::concurrency, 1, 10000,
                    "The largest number of attempts in flight."),
              Texts("headers", &Deliver::headers,
                    "Globs of the Kafka headers that are sent as `kafka-<name>`; `[]`: none."),
              ScalarField("health", &Deliver::health, "A health check of the app. Default: none.",
                          HealthFields().Schema(), ReadHealth),
          }};
}

// ---- retry and circuit

void CheckOrder(const Spot& spot, const std::string& group, Millis initial, Millis most,
                Reading& reading) {
  if (initial > most)
    reading.Error(
        spot.At(group),
        "`initial` is more than `max`: " + ShowDuration(initial) + " and " + ShowDuration(most),
        "raise `max`, or lower `initial`");
}

Mapping<Retry> RetryFields() {
  const Mapping<Retry> backoff = {
      .fields = {Duration("initial", &Retry::backoff_initial, kInstant, kHour,
                          "The bound of the first wait."),
                 Duration("max", &Retry::backoff_max, kInstant, 24 * kHour, "The longest wait.")}};
  return {.fields = {Whole("attempts", &Retry::attempts, 1, 1000,
                           "How many times an event is attempted."),
                     Group("backoff", "Exponential backoff with full jitter.", backoff),
                     Later<Retry>("delays")},
          .check = [](Retry& retry, const Spot& spot, Reading& reading) {
            CheckOrder(spot, "backoff", retry.backoff_initial, retry.backoff_max, reading);
          }};
}

Mapping<Circuit> CircuitFields() {
  const Mapping<Circuit> probe = {
      .fields = {Duration("initial", &Circuit::probe_initial, kInstant, kHour,
                          "The wait before the first probe."),
                 Duration("max", &Circuit::probe_max, kInstant, 24 * kHour, "The longest wait.")}};
  return {.fields = {Whole("failures", &Circuit::failures, 1, 100'000,
                           "The app counts as degraded after this many failures within `window`, "
                           "over at least `keys` keys, without a success."),
                     Whole("keys", &Circuit::keys, 1, 10'000,
                           "How many different keys must have failed."),
                     Duration("window", &Circuit::window, kInstant, kHour,
                              "The time within which failures count."),
                     Group("probe", "The waits between probes of a degraded app.", probe)},
          .check = [](Circuit& circuit, const Spot& spot, Reading& reading) {
            CheckOrder(spot, "probe", circuit.probe_initial, circuit.probe_max, reading);
          }};
}

// ---- the whole subscription

void CheckSubscription(Subscription& subscription, const Spot& spot, Reading& reading) {
  subscription.place = reading.PlaceOf(spot);
  subscription.path = spot.path;
  for (const Text& topic : subscription.topics)
    if (!topic.value.empty() && topic.value == subscription.dead_letter)
      reading.Error(spot.At("deadLetter"), Quoted(topic.value) + " is one of its own `topics`",
                    "a dead-letter record would be delivered again: choose another topic");
}

Mapping<Subscription> SubscriptionFields() {
  return {
      .fields =
          {
              TextField("name", &Subscription::name,
                        "The name in metrics, conditions and the consumer group.", CheckName)
                  .Required()
                  .Also(NameSchema()),
              ScalarField(
                  "topics", &Subscription::topics,
                  "Names of topics, or regular expressions that start with `^` (POSIX extended).",
                  TopicsSchema(), ReadTopics)
                  .Required(),
              TextField(
                  "group", &Subscription::group,
                  "The consumer group. Subscriptions that name the same one share a consumer: "
                  "each record is fetched once. Default: `<groupId>.<name>`."),
              Object("match", &Subscription::match,
                     "The events that are delivered, as in `routes[].match`; others are settled as "
                     "filtered. Default: every event.",
                     MatchFields()),
              ScalarField(
                  "startFrom", &Subscription::start_from,
                  "Where a new group starts: earliest, latest, or an RFC 3339 time; the same for "
                  "all subscriptions of a group.",
                  {{"type", "string"}, {"pattern", kStartPattern}, {"default", "earliest"}},
                  ReadStartFrom),
              TextField("deadLetter", &Subscription::dead_letter,
                        "The topic for events that can't be delivered. Default: none; such an "
                        "event stays, and its key waits.",
                        CheckDeadLetter)
                  .Also(TopicNameSchema()),
              Choice("ordering", &Subscription::ordering,
                     Choices<Ordering>{{{"key", Ordering::kKey},
                                        {"partition", Ordering::kPartition},
                                        {"none", Ordering::kNone}}},
                     "What is kept in order: events of one key, all events of a partition, or "
                     "nothing."),
              Object("deliver", &Subscription::deliver, "How events reach the app.",
                     DeliverFields())
                  .Required(),
              Later<Subscription>("replies"),
              Object("retry", &Subscription::retry, "What follows a failure that may pass.",
                     RetryFields()),
              Object("circuit", &Subscription::circuit,
                     "When the app counts as degraded, and how it is probed.", CircuitFields()),
              Duration("commitInterval", &Subscription::commit_interval, Millis(10), kMinute,
                       "How often offsets are committed; in a group the shortest one counts."),
              Later<Subscription>("dedupe"),
          },
      .check = CheckSubscription};
}

Spot SpotOf(const Subscription& subscription, const std::string& field) {
  static const YamlNode kNothing;
  return {kNothing, subscription.place.line, subscription.place.column,
          subscription.path + "." + field};
}

std::string LineOf(const Subscription& other) {
  return other.path + " on line " + std::to_string(other.place.line);
}

// What is one thing for all subscriptions of a group.
void CheckGroups(const std::vector<Subscription>& subscriptions, Reading& reading) {
  struct Group {
    const Subscription* first;
    size_t size = 0;
  };
  std::unordered_map<std::string, Group> groups;
  for (const Subscription& subscription : subscriptions) {
    if (subscription.name.empty()) continue;  // an error already
    Group& group = groups.try_emplace(subscription.group, Group{&subscription}).first->second;
    const Subscription& first = *group.first;
    if (subscription.start_from != first.start_from)
      reading.Error(SpotOf(subscription, "startFrom"),
                    "the group " + Quoted(subscription.group) + " begins at one place, but " +
                        Quoted(subscription.name) + " says " + ShowStart(subscription.start_from) +
                        " and " + Quoted(first.name) + " (" + LineOf(first) + ", column " +
                        std::to_string(first.place.column) + ") " + ShowStart(first.start_from),
                    "give both the same `startFrom`, or each a group of its own");
    if (++group.size == kMostInGroup + 1)
      reading.Error(SpotOf(subscription, "group"),
                    Quoted(subscription.name) + " is one too many in the group " +
                        Quoted(subscription.group) + ", which began with " + Quoted(first.name) +
                        " (" + LineOf(first) + "): the metadata of a commit has room for " +
                        std::to_string(kMostInGroup),
                    "begin another group");
  }
}

}  // namespace

Field<Config> SubscriptionsField() {
  return Objects("subscriptions", &Config::subscriptions,
                 "Consuming rules: which events the app gets, and how.", SubscriptionFields());
}

Json Shown(const std::optional<AppHealth>& value) {
  return value ? HealthFields().Show(*value) : Json();
}

Json Shown(const StartFrom& value) { return ShowStart(value); }

void FinishSubscriptions(Config& config, Reading& reading) {
  CheckDeadLetterLoops(config.subscriptions, reading);
  std::unordered_map<std::string, const Subscription*> named;
  for (Subscription& subscription : config.subscriptions) {
    if (subscription.name.empty()) continue;  // an error already
    if (subscription.group.empty())
      subscription.group = config.kafka.group_id + "." + subscription.name;
    if (const auto [same, fresh] = named.emplace(subscription.name, &subscription); !fresh)
      reading.Error(SpotOf(subscription, "name"),
                    Quoted(subscription.name) + " is the name of " + LineOf(*same->second) + " too",
                    "give each a name of its own");
  }
  CheckGroups(config.subscriptions, reading);
}

}  // namespace outrigger::config
