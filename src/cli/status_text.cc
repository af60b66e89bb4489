#include "cli/status_text.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/age.h"
#include "config/values.h"

namespace outrigger::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kColumns = 100;
constexpr size_t kLongestName = 36;

// ---- what the metrics mean

class Counted {
 public:
  Counted(const Looks& looks, std::string metric, Scrape::Labels labels)
      : looks_(looks), metric_(std::move(metric)), labels_(std::move(labels)) {}

  // Since the first look, a second; or all.
  double Of(const char* label, const char* value) const {
    Scrape::Labels labels = labels_;
    labels[label] = value;
    const double now = looks_.now.Sum(metric_, labels);
    return looks_.before ? (now - looks_.before->Sum(metric_, labels)) / looks_.seconds : now;
  }

 private:
  const Looks& looks_;
  const std::string metric_;
  const Scrape::Labels labels_;
};

void AddQuantiles(Json& to, const Looks& looks, const char* metric, const Scrape::Labels& labels) {
  for (const auto& [name, q] : {std::pair<const char*, double>{"p50Ms", 0.5}, {"p99Ms", 0.99}})
    if (const auto seconds = looks.now.Quantile(metric, labels, q, looks.before))
      to[name] = *seconds * 1000;
}

Json TopicsOf(const Looks& looks) {
  Json topics = Json::array();
  for (const auto& topic : looks.now.Values("outrigger_producer_events_total", "topic")) {
    const Counted events(looks, "outrigger_producer_events_total", {{"topic", topic}});
    Json each = {{"topic", topic},
                 {"acked", events.Of("outcome", "acked")},
                 {"spooled", events.Of("outcome", "spooled")},
                 {"failed", events.Of("outcome", "failed")},
                 {"deadLettered", events.Of("outcome", "dead_lettered")}};
    AddQuantiles(each, looks, "outrigger_producer_latency_seconds", {{"topic", topic}});
    topics.push_back(std::move(each));
  }
  return topics;
}

Json SubscriptionsOf(const Looks& looks) {
  Json subscriptions = Json::array();
  for (const auto& name : looks.now.Values("outrigger_delivery_in_flight", "subscription")) {
    const Scrape::Labels labels{{"subscription", name}};
    const Counted events(looks, "outrigger_consumer_events_total", labels);
    Json each = {{"subscription", name},
                 {"delivered", events.Of("outcome", "delivered")},
                 {"retried", events.Of("outcome", "retried")},
                 {"deadLettered", events.Of("outcome", "dead_lettered")},
                 {"dropped", events.Of("outcome", "dropped")},
                 {"inFlight", looks.now.Sum("outrigger_delivery_in_flight", labels)}};
    AddQuantiles(each, looks, "outrigger_delivery_latency_seconds", labels);
    subscriptions.push_back(std::move(each));
  }
  return subscriptions;
}

Json GroupsOf(const Scrape& now) {
  Json groups = Json::array();
  for (const auto& group : now.Values("outrigger_consumer_lag", "group")) {
    const Scrape::Labels labels{{"group", group}};
    groups.push_back({{"group", group},
                      {"partitions", now.Count("outrigger_consumer_lag", labels)},
                      {"lag", now.Sum("outrigger_consumer_lag", labels)},
                      {"lagSeconds", now.Max("outrigger_consumer_lag_seconds", labels)},
                      {"oldestUnsettledSeconds",
                       now.Max("outrigger_consumer_oldest_unsettled_age_seconds", labels)}});
  }
  return groups;
}

Json SpoolOf(const Scrape& scrape, base::WallTime now) {
  const double oldest = scrape.Sum("outrigger_spool_oldest_timestamp_seconds");
  const double age = std::chrono::duration<double>(now.time_since_epoch()).count() - oldest;
  return {{"records", scrape.Sum("outrigger_spool_records")},
          {"bytes", scrape.Sum("outrigger_spool_bytes")},
          {"fileBytes", scrape.Sum("outrigger_spool_file_bytes")},
          {"maxBytes", scrape.Sum("outrigger_spool_max_bytes")},
          {"quarantined", scrape.Sum("outrigger_spool_quarantined_records")},
          {"oldestSeconds", oldest > 0 ? std::max(age, 0.0) : 0}};
}

// ---- for people

std::string Printed(const char* format, double value) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), format, value);
  return text.data();
}

// 1,234,567; a rate below 10 with a decimal.
std::string Number(const Json& value) {
  const double number = value.is_number() ? value.get<double>() : 0;
  if (number > 0 && number < 10 && number != static_cast<int>(number))
    return Printed("%.1f", number);
  std::string digits = Printed("%.0f", number);
  for (size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, 1, ',');
  return digits;
}

std::string Milliseconds(const Json& row, const char* name) {
  if (!row.contains(name)) return "-";
  const double ms = row[name].get<double>();
  return ms < 1000 ? Printed(ms < 10 ? "%.1f ms" : "%.0f ms", ms) : Printed("%.1f s", ms / 1000);
}

std::string Seconds(const Json& row, const char* name) {
  return ShowAge(std::chrono::seconds(static_cast<int64_t>(row[name].get<double>())));
}

std::string Size(const Json& row, const char* name) {
  const double bytes = row[name].get<double>();
  for (const auto& [unit, size] :
       {std::pair<const char*, double>{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}})
    if (bytes >= size) return Printed("%.1f", bytes / size) + unit;
  return Printed("%.0f", bytes) + "B";
}

std::string Clipped(const std::string& name) {
  return name.size() <= kLongestName ? name : name.substr(0, kLongestName - 3) + "...";
}

using Row = std::vector<std::string>;

// Names to the left, numbers to the right.
std::string Table(const std::vector<Row>& rows) {
  std::vector<size_t> widths(rows.front().size());
  for (const Row& row : rows)
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  std::string text;
  for (const Row& row : rows) {
    text.append(row.front()).append(widths[0] - row.front().size(), ' ');
    for (size_t i = 1; i < row.size(); ++i)
      text.append(widths[i] - row[i].size() + 2, ' ').append(row[i]);
    text.append(1, '\n');
  }
  return text + "\n";
}

std::string Wrapped(const std::string& text, const std::string& indent) {
  std::string wrapped, line = indent;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(' ', at), text.size());
    if (line.size() + 1 + end - at > kColumns && line.size() > indent.size()) {
      wrapped += line + "\n";
      line = indent;
    }
    if (line.size() > indent.size()) line.append(1, ' ');
    line.append(text, at, end - at);
    at = end + 1;
  }
  return wrapped + line + "\n";
}

// What is well in a line each, what is not with its reason.
std::string ConditionsText(const Json& conditions, base::WallTime now) {
  std::string text;
  for (const Json& each : conditions) {
    const auto since = config::ParseRfc3339(each["lastTransitionTime"].get<std::string>());
    std::string line = each["type"].get<std::string>();
    line.resize(std::max<size_t>(line.size(), 28), ' ');
    line.append(1, ' ').append(each["status"].get<std::string>());
    line.resize(std::max<size_t>(line.size(), 37), ' ');
    line.append(1, ' ').append(each["reason"].get<std::string>());
    if (since)
      line += ", for " + ShowAge(std::chrono::duration_cast<std::chrono::seconds>(now - *since));
    text += line + "\n" + Wrapped(each["message"].get<std::string>(), "    ");
  }
  return text + "\n";
}

}  // namespace

Json StatusOf(const Looks& looks, base::WallTime now) {
  Json status = {{"generation", looks.status.value("observedGeneration", "")},
                 {"perSecond", looks.before != nullptr},
                 {"conditions", looks.status.value("conditions", Json::array())},
                 {"memory", looks.status.value("memory", Json::object())},
                 {"topics", TopicsOf(looks)},
                 {"subscriptions", SubscriptionsOf(looks)},
                 {"groups", GroupsOf(looks.now)}};
  if (looks.now.Has("outrigger_spool_max_bytes")) status["spool"] = SpoolOf(looks.now, now);
  return status;
}

std::string StatusText(const Json& status, base::WallTime now) {
  const std::string counted = status["perSecond"].get<bool>() ? " a second" : " since the start";
  std::string text = ConditionsText(status["conditions"], now);
  std::vector<Row> rows{
      {"PUBLISHED" + counted, "acked", "spooled", "failed", "dead", "p50", "p99"}};
  for (const Json& each : status["topics"]) {
    if (each["topic"] == "none" && each["failed"] == 0) continue;  // events that no route took
    rows.push_back({Clipped(each["topic"].get<std::string>()), Number(each["acked"]),
                    Number(each["spooled"]), Number(each["failed"]), Number(each["deadLettered"]),
                    Milliseconds(each, "p50Ms"), Milliseconds(each, "p99Ms")});
  }
  text += Table(rows);
  if (const Json& all = status["subscriptions"]; !all.empty()) {
    rows = {
        {"DELIVERED" + counted, "done", "retried", "dead", "dropped", "in flight", "p50", "p99"}};
    for (const Json& each : all)
      rows.push_back({Clipped(each["subscription"].get<std::string>()), Number(each["delivered"]),
                      Number(each["retried"]), Number(each["deadLettered"]),
                      Number(each["dropped"]), Number(each["inFlight"]),
                      Milliseconds(each, "p50Ms"), Milliseconds(each, "p99Ms")});
    text += Table(rows);
  }
  if (const Json& all = status["groups"]; !all.empty()) {
    rows = {{"GROUP", "partitions", "lag", "behind by", "oldest unsettled"}};
    for (const Json& each : all)
      rows.push_back({Clipped(each["group"].get<std::string>()), Number(each["partitions"]),
                      Number(each["lag"]), Seconds(each, "lagSeconds"),
                      Seconds(each, "oldestUnsettledSeconds")});
    text += Table(rows);
  }
  if (status.contains("spool")) {
    const Json& spool = status["spool"];
    text += Table({{"SPOOL", "records", "size", "of at most", "oldest", "quarantined"},
                   {"", Number(spool["records"]), Size(spool, "fileBytes"), Size(spool, "maxBytes"),
                    Seconds(spool, "oldestSeconds"), Number(spool["quarantined"])}});
  }
  rows = {{"MEMORY", "used", "of at most"}};
  if (const Json& memory = status["memory"]; memory.contains("shares"))
    for (const auto& [name, share] : memory["shares"].items())
      rows.push_back({name, Size(share, "used"), Size(share, "bytes")});
  return text + Table(rows);
}

}  // namespace outrigger::cli
