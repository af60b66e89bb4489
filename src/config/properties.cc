#include "config/properties.h"

#include <array>

namespace outrigger::config {
namespace {

struct Rule {
  std::string_view name;  // a trailing `*` matches any ending
  std::string_view reason;
  std::string_view instead;
};

constexpr std::string_view kAcked = "decides whether a 200 means that Kafka has the event";
constexpr std::string_view kDropped = "would drop events that were accepted";
constexpr std::string_view kOrder = "decides the order of events with one key";
constexpr std::string_view kBatch = "decides how batches form, and the sidecar forms them itself";
constexpr std::string_view kOffsets = "would commit offsets of events that are not settled";
constexpr std::string_view kField = "has a field of its own";
constexpr std::string_view kInner = "is used inside the sidecar";

constexpr std::array<Rule, 61> kRules = {{
    {"acks", kAcked, ""},
    {"request.required.acks", kAcked, ""},
    {"enable.idempotence", kAcked, ""},
    {"transactional.id", kAcked, ""},
    {"transaction.timeout.ms", kAcked, ""},
    {"produce.offset.report", kAcked, ""},
    {"delivery.report.only.error", kAcked, ""},
    {"message.timeout.ms", kDropped, "http.ackTimeout"},
    {"delivery.timeout.ms", kDropped, "http.ackTimeout"},
    {"retries", kDropped, ""},
    {"message.send.max.retries", kDropped, ""},
    {"enable.gapless.guarantee", kOrder, ""},
    {"max.in.flight", kOrder, ""},
    {"max.in.flight.requests.per.connection", kOrder, ""},
    {"partitioner", kOrder, ""},
    {"partitioner_cb", kOrder, ""},
    {"msg_order_cmp", kOrder, ""},
    {"queuing.strategy", kOrder, ""},
    {"sticky.partitioning.linger.ms", kOrder, ""},
    {"linger.ms", kBatch, ""},
    {"queue.buffering.max.ms", kBatch, ""},
    {"queue.buffering.max.messages", kBatch, ""},
    {"queue.buffering.max.kbytes", kBatch, ""},
    {"queue.buffering.backpressure.threshold", kBatch, ""},
    {"enable.auto.commit", kOffsets, ""},
    {"auto.commit.enable", kOffsets, ""},
    {"enable.auto.offset.store", kOffsets, ""},
    {"auto.commit.interval.ms", kOffsets, ""},
    {"offset.store.*", kOffsets, ""},
    {"auto.offset.reset", kField, "subscriptions[].startFrom"},
    {"partition.assignment.strategy", kInner, ""},
    {"group.protocol*", kInner, ""},
    {"group.remote.assignor", kInner, ""},
    {"enable.partition.eof", kInner, ""},
    {"consume.callback.max.messages", kInner, ""},
    {"bootstrap.servers", kField, "kafka.brokers"},
    {"metadata.broker.list", kField, "kafka.brokers"},
    {"client.id", kField, "kafka.clientId"},
    {"group.id", kField, "kafka.groupId"},
    {"security.protocol", kField, "kafka.security.protocol"},
    {"sasl.mechanism", kField, "kafka.security.mechanism"},
    {"sasl.mechanisms", kField, "kafka.security.mechanism"},
    {"sasl.username", kField, "kafka.security.username"},
    {"sasl.password", kField, "kafka.security.passwordFile"},
    {"sasl.oauthbearer.*", kInner, ""},
    {"enable.sasl.oauthbearer.unsecure.jwt", kInner, ""},
    {"ssl.ca.location", kField, "kafka.security.caFile"},
    {"ssl.ca.pem", kField, "kafka.security.caFile"},
    {"ssl.certificate.*", kField, "kafka.security.certFile"},
    {"ssl.key.location", kField, "kafka.security.keyFile"},
    {"ssl.key.pem", kField, "kafka.security.keyFile"},
    {"ssl.key.password", kField, "kafka.security.keyPasswordFile"},
    {"ssl.keystore.*", kField, "kafka.security.keyFile"},
    {"test.mock.*", "is what `embedded` sets", "kafka.brokers"},
    {"plugin.library.paths", "would load foreign code into the sidecar", ""},
    {"statistics.interval.ms", kInner, ""},
    {"enabled_events", kInner, ""},
    {"log.queue", kInner, ""},
    {"opaque", kInner, ""},
    {"*_cb", kInner, ""},
    {"builtin.features", "can't be set", ""},
}};

constexpr std::string_view kTopic = "topic.";

bool Covers(std::string_view rule, std::string_view name) {
  if (rule.ends_with('*')) return name.starts_with(rule.substr(0, rule.size() - 1));
  if (rule.starts_with('*')) return name.ends_with(rule.substr(1));
  return rule == name;
}

}  // namespace

std::optional<Reserved> FindReserved(std::string_view name) {
  const std::string_view of_topic = name.starts_with(kTopic) ? name.substr(kTopic.size()) : name;
  for (const Rule& rule : kRules)
    if (Covers(rule.name, name) || Covers(rule.name, of_topic))
      return Reserved{std::string(rule.reason), std::string(rule.instead)};
  return std::nullopt;
}

std::string ReservedPattern() {
  std::string names;
  for (const Rule& rule : kRules) {
    if (!names.empty()) names += '|';
    for (const char c : rule.name) names += c == '*' ? ".*" : c == '.' ? "\\." : std::string(1, c);
  }
  return "^(topic\\.)?(" + names + ")$";
}

}  // namespace outrigger::config
