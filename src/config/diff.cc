#include "config/diff.h"

#include <algorithm>

#include "config/field.h"

namespace outrigger::config {
namespace {

const char kAtOnce[] = "at once";
const char kAtNextStart[] = "at the next start";
const char kNewClients[] =
    "new Kafka clients; what is not acknowledged is sent again in order, consumers settle first";

bool IsOfClients(const std::string& path) {
  for (const char* field : {"kafka.brokers", "kafka.clientId", "kafka.security", "kafka.properties",
                            "kafka.producer", "kafka.consumer"})
    if (path.starts_with(field)) return true;
  return false;
}

// `field`: of the subscription.
std::string EffectOnSubscription(const std::string& field) {
  if (field == "group")
    return "leaves its group when what is in flight has settled, joins the other";
  if (field == "topics")
    return "its group subscribes again; topics that stay keep their partitions";
  if (field == "startFrom") return "matters to a new group only";
  return "keeps its partitions; what is in flight settles first";
}

std::string EffectOf(const std::string& path) {
  if (IsOfClients(path)) return kNewClients;
  if (path == "kafka.required") return "matters at the start only";
  if (path == "kafka.groupId") return "groups that are named by it change";
  return kAtOnce;
}

std::string TextOf(const Json& value) { return value.is_null() ? std::string() : value.dump(); }

// The differences of two shown configs.
class Comparison {
 public:
  explicit Comparison(std::vector<std::string> at_next_start)
      : at_next_start_(std::move(at_next_start)) {}

  void Compare(const std::string& path, const Json& now, const Json& next) {
    if (now == next) return;
    if (path == "routes") return CompareRoutes(now, next);
    if (path == "subscriptions") return CompareSubscriptions(now, next);
    if (!now.is_object() || !next.is_object()) return Add(path, now, next, EffectOf(path));
    CompareFields(path.empty() ? "" : path + ".", now, next,
                  [this](const std::string& field, const Json& before, const Json& after) {
                    Compare(field, before, after);
                  });
  }

  std::vector<Difference> Take() { return std::move(all_); }

 private:
  template <class Each>
  static void CompareFields(const std::string& prefix, const Json& now, const Json& next,
                            const Each& each) {
    const Json none;
    for (const auto& [name, value] : now.items())
      each(prefix + name, value, next.contains(name) ? next[name] : none);
    for (const auto& [name, value] : next.items())
      if (!now.contains(name)) each(prefix + name, none, value);
  }

  void Add(const std::string& path, const Json& now, const Json& next, std::string effect) {
    const bool later = std::ranges::find(at_next_start_, path) != at_next_start_.end();
    all_.push_back(
        {path, TextOf(now), TextOf(next), later ? kAtNextStart : std::move(effect), later});
  }

  // Those between what is the same at both ends.
  void CompareRoutes(const Json& now, const Json& next) {
    size_t same = 0;
    while (same < std::min(now.size(), next.size()) && now[same] == next[same]) ++same;
    size_t end = now.size(), next_end = next.size();
    while (end > same && next_end > same && now[end - 1] == next[next_end - 1]) --end, --next_end;
    const auto path = [](size_t at) { return "routes[" + std::to_string(at) + "]"; };
    size_t at = same;
    for (; at < std::min(end, next_end); ++at)
      CompareFields(path(at) + ".", now[at], next[at],
                    [this](const std::string& field, const Json& before, const Json& after) {
                      if (before != after) Add(field, before, after, kAtOnce);
                    });
    for (size_t gone = at; gone < end; ++gone) Add(path(gone), now[gone], {}, "removed at once");
    for (size_t more = at; more < next_end; ++more)
      Add(path(more), {}, next[more], "added at once");
  }

  void CompareSubscriptions(const Json& now, const Json& next) {
    const auto by_name = [](const Json& list) {
      Json named = Json::object();
      for (const Json& each : list) named[each["name"].get<std::string>()] = each;
      return named;
    };
    CompareFields("subscriptions.", by_name(now), by_name(next),
                  [this](const std::string& path, const Json& before, const Json& after) {
                    if (before == after) return;
                    if (before.is_null()) return Add(path, before, after, "begins");
                    if (after.is_null())
                      return Add(path, before, after, "settles what is in flight, and is gone");
                    CompareSubscription(path, path.size() + 1, before, after);
                  });
  }

  void CompareSubscription(const std::string& path, size_t prefix, const Json& now,
                           const Json& next) {
    CompareFields(path + ".", now, next,
                  [&](const std::string& field, const Json& before, const Json& after) {
                    if (before == after) return;
                    if (before.is_object() && after.is_object())
                      return CompareSubscription(field, prefix, before, after);
                    Add(field, before, after, EffectOnSubscription(field.substr(prefix)));
                  });
  }

  const std::vector<std::string> at_next_start_;
  std::vector<Difference> all_;
};

}  // namespace

std::vector<Difference> Diff(const Config& now, const Config& next, bool with_routes) {
  Json before = SidecarFields().Show(now, with_routes ? "" : "routes");
  Json after = SidecarFields().Show(next, with_routes ? "" : "routes");
  Comparison comparison(AtNextStart(now, next));
  comparison.Compare("", before, after);
  std::vector<Difference> differences = comparison.Take();
  const auto of_clients = [](const Difference& each) { return IsOfClients(each.path); };
  if (!now.kafka.SameClients(next.kafka) && std::ranges::none_of(differences, of_clients))
    differences.push_back({"kafka.security", "\"a secret\"", "\"another one\"", kNewClients});
  return differences;
}

std::vector<std::string> AtNextStart(const Config& now, const Config& next) {
  std::vector<std::string> paths;
  const auto add = [&paths](bool differs, const char* path) {
    if (differs) paths.emplace_back(path);
  };
  add(now.kafka.enabled != next.kafka.enabled, "kafka.enabled");
  add(now.kafka.embedded() != next.kafka.embedded(), "kafka.brokers");
  add(now.spool.path != next.spool.path, "spool.path");
  add(now.http.listen != next.http.listen, "http.listen");
  add(now.http.unix_socket != next.http.unix_socket, "http.unixSocket");
  add(now.ops.listen != next.ops.listen, "ops.listen");
  return paths;
}

void KeepUntilNextStart(const Config& now, Config& next) {
  next.kafka.enabled = now.kafka.enabled;
  if (now.kafka.embedded() != next.kafka.embedded()) next.kafka.brokers = now.kafka.brokers;
  next.spool.path = now.spool.path;
  next.http.listen = now.http.listen;
  next.http.unix_socket = now.http.unix_socket;
  next.ops = now.ops;
}

}  // namespace outrigger::config
