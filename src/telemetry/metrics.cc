#include "telemetry/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <map>
#include <mutex>

#include "telemetry/log.h"
#include "telemetry/process_metrics.h"

namespace outrigger::telemetry {
namespace {

constexpr std::array<const char*, static_cast<size_t>(ProducerOutcome::kCount)> kOutcomes{
    "acked", "spooled", "failed", "discarded", "dead_lettered"};
constexpr std::array<const char*, static_cast<size_t>(ProducerReason::kCount)> kReasons{
    "no_route", "invalid", "too_large",  "unknown_topic", "unauthorized",
    "timeout",  "broker",  "spool_full", "disk"};

constexpr std::array<const char*, static_cast<size_t>(ConsumerOutcome::kCount)> kConsumerOutcomes{
    "delivered", "retried", "dead_lettered", "dropped", "duplicate", "filtered"};
constexpr std::array<const char*, static_cast<size_t>(ConsumerReason::kCount)> kConsumerReasons{
    "timeout", "refused", "status_3xx", "status_4xx", "status_5xx", "undecodable", "circuit"};
constexpr std::array<const char*, static_cast<size_t>(LostReason::kCount)> kLostReasons{
    "deleted", "truncated"};
constexpr std::array<const char*, static_cast<size_t>(SpoolOutcome::kCount)> kSpoolOutcomes{
    "acked", "already_in_kafka", "dead_lettered", "quarantined", "dropped"};
constexpr std::array<const char*, static_cast<size_t>(SpoolError::kCount)> kSpoolErrors{
    "full", "disk_full", "io", "damaged"};

// From a loopback ack of 200 us to an outage of 30 s.
const prometheus::Histogram::BucketBoundaries kLatency{
    .0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30};
// From a fast SSD to a disk that hangs.
const prometheus::Histogram::BucketBoundaries kCommit{
    .0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10};

prometheus::Labels ReloadLabels(bool applied) {
  return {{"outcome", applied ? "applied" : "refused"}};
}

}  // namespace

void Counter::Increment(double by) const {
  if (counter_) counter_->Increment(by);
}
double Counter::value() const { return counter_ ? counter_->Value() : 0; }
void Gauge::Set(double value) const {
  if (gauge_) gauge_->Set(value);
}
double Gauge::value() const { return gauge_ ? gauge_->Value() : 0; }
void Histogram::Observe(double seconds) const {
  if (histogram_) histogram_->Observe(seconds);
}

// The list of all metrics. A new one is added here, to README.md in this folder, to
// tests/golden/metrics.txt and to the dashboard in charts/outrigger.
struct Metrics::Families {
  prometheus::Registry registry;

  prometheus::Family<prometheus::Counter>& CounterFamily(const char* name, const char* help) {
    return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
  }
  prometheus::Family<prometheus::Gauge>& GaugeFamily(const char* name, const char* help) {
    return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
  }

  prometheus::Family<prometheus::Counter>& producer_events = CounterFamily(
      "outrigger_producer_events_total", "Events offered for publishing, by outcome.");
  prometheus::Family<prometheus::Counter>& producer_failures = CounterFamily(
      "outrigger_producer_failures_total", "Events that could not be published, by reason.");
  prometheus::Family<prometheus::Counter>& producer_unkeyed =
      CounterFamily("outrigger_producer_unkeyed_events_total",
                    "Events published without a key although their route names one.");
  prometheus::Family<prometheus::Histogram>& producer_latency =
      prometheus::BuildHistogram()
          .Name("outrigger_producer_latency_seconds")
          .Help("Time from accepting an event until Kafka acknowledges it, in seconds.")
          .Register(registry);
  prometheus::Family<prometheus::Gauge>& producer_waiting_events = GaugeFamily(
      "outrigger_producer_waiting_events", "Events in memory that Kafka has not acknowledged yet.");
  prometheus::Family<prometheus::Gauge>& producer_waiting_bytes =
      GaugeFamily("outrigger_producer_waiting_bytes",
                  "Memory of the events that Kafka has not acknowledged yet, in bytes.");
  prometheus::Family<prometheus::Counter>& producer_rebuilds =
      CounterFamily("outrigger_producer_rebuilds_total",
                    "Kafka clients replaced after a fatal error or a batch without an answer.");
  prometheus::Family<prometheus::Counter>& consumer_events =
      CounterFamily("outrigger_consumer_events_total", "Events that were consumed, by outcome.");
  prometheus::Family<prometheus::Counter>& consumer_failures = CounterFamily(
      "outrigger_consumer_failures_total", "Delivery attempts that failed, by reason.");
  prometheus::Family<prometheus::Counter>& consumer_lost =
      CounterFamily("outrigger_consumer_records_lost_total",
                    "Offsets that were deleted or truncated before they were fetched, by reason.");
  prometheus::Family<prometheus::Counter>& consumer_rebuilds =
      CounterFamily("outrigger_consumer_rebuilds_total",
                    "Kafka clients of a subscription replaced after a fatal error or because they "
                    "fetched nothing.");
  prometheus::Family<prometheus::Counter>& commits_refused =
      CounterFamily("outrigger_consumer_commits_refused_total",
                    "Offset commits of a partition that Kafka refused; each is tried again.");
  prometheus::Family<prometheus::Gauge>& consumer_lag = GaugeFamily(
      "outrigger_consumer_lag", "Events of an assigned partition that are not settled yet.");
  prometheus::Family<prometheus::Gauge>& consumer_lag_seconds = GaugeFamily(
      "outrigger_consumer_lag_seconds",
      "Age of the oldest unsettled event of an assigned partition, in seconds; where none was "
      "fetched, the time for which the partition has lagged without progress.");
  prometheus::Family<prometheus::Gauge>& consumer_oldest = GaugeFamily(
      "outrigger_consumer_oldest_unsettled_age_seconds",
      "Time since the oldest unsettled event of an assigned partition was fetched, in seconds.");
  prometheus::Family<prometheus::Histogram>& delivery_latency =
      prometheus::BuildHistogram()
          .Name("outrigger_delivery_latency_seconds")
          .Help("Time from fetching an event until it is settled, in seconds.")
          .Register(registry);
  prometheus::Family<prometheus::Gauge>& delivery_circuit_open =
      GaugeFamily("outrigger_delivery_circuit_open",
                  "1 while the app of a subscription is down or degraded, else 0.");
  prometheus::Family<prometheus::Gauge>& delivery_in_flight = GaugeFamily(
      "outrigger_delivery_in_flight", "Events sent to the app that it has not answered yet.");
  prometheus::Family<prometheus::Gauge>& spool_records = GaugeFamily(
      "outrigger_spool_records", "Records in the spool that Kafka has not acknowledged yet.");
  prometheus::Family<prometheus::Gauge>& spool_bytes = GaugeFamily(
      "outrigger_spool_bytes",
      "Size of the records in the spool that Kafka has not acknowledged yet, in bytes.");
  prometheus::Family<prometheus::Gauge>& spool_file_bytes = GaugeFamily(
      "outrigger_spool_file_bytes", "What the files of the spool take on the disk, in bytes.");
  prometheus::Family<prometheus::Gauge>& spool_max_bytes =
      GaugeFamily("outrigger_spool_max_bytes", "The largest size of the spool, in bytes.");
  prometheus::Family<prometheus::Gauge>& spool_oldest = GaugeFamily(
      "outrigger_spool_oldest_timestamp_seconds",
      "When the oldest record in the spool was accepted, as Unix time in seconds; 0 while none "
      "waits.");
  prometheus::Family<prometheus::Gauge>& spool_quarantined =
      GaugeFamily("outrigger_spool_quarantined_records",
                  "Records that Kafka refused for good and that wait for a decision.");
  prometheus::Family<prometheus::Counter>& spool_left =
      CounterFamily("outrigger_spool_left_total", "Records that left the spool, by outcome.");
  prometheus::Family<prometheus::Counter>& spool_errors =
      CounterFamily("outrigger_spool_errors_total",
                    "Times that the spool could not do what it was asked for, by reason.");
  prometheus::Family<prometheus::Counter>& spool_salvaged =
      CounterFamily("outrigger_spool_salvaged_records_total",
                    "Records that were read out of a damaged file of the spool.");
  prometheus::Family<prometheus::Counter>& spool_lost =
      CounterFamily("outrigger_spool_lost_records_total",
                    "Records of a damaged file of the spool that could not be read.");
  prometheus::Family<prometheus::Histogram>& spool_latency =
      prometheus::BuildHistogram()
          .Name("outrigger_spool_latency_seconds")
          .Help("Time from giving a record to the spool until Kafka acknowledges it, in seconds.")
          .Register(registry);
  prometheus::Family<prometheus::Histogram>& spool_commit =
      prometheus::BuildHistogram()
          .Name("outrigger_spool_commit_seconds")
          .Help("Time of a transaction of the spool until it is on the disk, in seconds.")
          .Register(registry);
  prometheus::Family<prometheus::Counter>& http_requests = CounterFamily(
      "outrigger_http_requests_total", "HTTP requests answered, by endpoint and status code.");
  prometheus::Family<prometheus::Counter>& log_dropped =
      CounterFamily("outrigger_log_lines_dropped_total",
                    "Lines of the log that were dropped because nobody read it in time.");
  prometheus::Family<prometheus::Counter>& config_reloads =
      CounterFamily("outrigger_config_reloads_total", "Changes of the configuration, by outcome.");
  prometheus::Family<prometheus::Gauge>& config_successful =
      GaugeFamily("outrigger_config_last_reload_successful",
                  "1 while the current configuration file is in force, 0 after it was refused.");
  prometheus::Family<prometheus::Gauge>& memory_budget =
      GaugeFamily("outrigger_memory_budget_bytes",
                  "What events, bodies, answers and fetch queues may hold together, in bytes.");
  prometheus::Family<prometheus::Gauge>& memory_share = GaugeFamily(
      "outrigger_memory_share_bytes", "What each share of the memory budget may hold, in bytes.");
  prometheus::Family<prometheus::Gauge>& memory_used = GaugeFamily(
      "outrigger_memory_used_bytes", "What each share of the memory budget holds, in bytes.");
  prometheus::Family<prometheus::Gauge>& http_connections =
      GaugeFamily("outrigger_http_connections", "Connections that the app holds open.");
  prometheus::Family<prometheus::Gauge>& kafka_connected =
      GaugeFamily("outrigger_kafka_connected", "1 while a Kafka broker answers, else 0.");
  prometheus::Family<prometheus::Gauge>& build_info = GaugeFamily(
      "outrigger_build_info", "1, with the version and commit of this build as labels.");

  // Looked up by every request: one entry for each endpoint (a literal) and code.
  std::mutex http_mutex;
  std::map<std::pair<std::string, int>, prometheus::Counter*, std::less<>> http_series;
};

Metrics::Metrics() : families_(std::make_unique<Families>()) {
  families_->build_info.Add({{"version", OUTRIGGER_VERSION}, {"commit", OUTRIGGER_COMMIT}}).Set(1);
  KafkaConnected().Set(0);
  for (const bool applied : {true, false}) families_->config_reloads.Add(ReloadLabels(applied));
  families_->config_successful.Add({}).Set(1);  // the one that it starts with
  HttpConnections().Set(0);
  ProducerRebuilds();
  ProducerWaitingRecords().Set(0);
  ProducerWaitingBytes().Set(0);
}
Metrics::~Metrics() = default;

ProducerTopic Metrics::Producer(const std::string& topic_label) {
  ProducerTopic topic;
  for (size_t i = 0; i < kOutcomes.size(); ++i)
    topic.events[i] = Counter(
        &families_->producer_events.Add({{"topic", topic_label}, {"outcome", kOutcomes[i]}}));
  for (size_t i = 0; i < kReasons.size(); ++i)
    topic.failures[i] = Counter(
        &families_->producer_failures.Add({{"topic", topic_label}, {"reason", kReasons[i]}}));
  topic.latency = Histogram(&families_->producer_latency.Add({{"topic", topic_label}}, kLatency));
  topic.unkeyed = Counter(&families_->producer_unkeyed.Add({{"topic", topic_label}}));
  return topic;
}

ConsumerTopic Metrics::Consumer(const std::string& subscription, const std::string& topic) {
  ConsumerTopic series;
  for (size_t i = 0; i < kConsumerOutcomes.size(); ++i)
    series.events[i] = Counter(&families_->consumer_events.Add(
        {{"subscription", subscription}, {"topic", topic}, {"outcome", kConsumerOutcomes[i]}}));
  for (size_t i = 0; i < kConsumerReasons.size(); ++i)
    series.failures[i] = Counter(&families_->consumer_failures.Add(
        {{"subscription", subscription}, {"topic", topic}, {"reason", kConsumerReasons[i]}}));
  for (size_t i = 0; i < kLostReasons.size(); ++i)
    series.lost[i] = Counter(&families_->consumer_lost.Add(
        {{"subscription", subscription}, {"topic", topic}, {"reason", kLostReasons[i]}}));
  return series;
}

SubscriptionSeries::SubscriptionSeries(Metrics& metrics, std::string subscription)
    : ConsumerSubscription(metrics.Delivery(subscription)),
      metrics_(metrics),
      subscription_(std::move(subscription)) {}

SubscriptionSeries::~SubscriptionSeries() {
  for (const auto& [topic, series] : topics_) metrics_.Remove(series);
  metrics_.Remove(*this);
}

const ConsumerTopic& SubscriptionSeries::Topic(const std::string& topic) {
  auto series = topics_.find(topic);
  if (series == topics_.end())
    series = topics_.emplace(topic, metrics_.Consumer(subscription_, topic)).first;
  return series->second;
}

std::shared_ptr<SubscriptionSeries> Metrics::Subscription(const std::string& subscription) {
  const std::lock_guard lock(mutex_);
  auto& kept = subscriptions_[subscription];
  auto series = kept.lock();
  if (!series) kept = series = std::make_shared<SubscriptionSeries>(*this, subscription);
  return series;
}

ConsumerSubscription Metrics::Delivery(const std::string& subscription) {
  const prometheus::Labels labels{{"subscription", subscription}};
  return {Histogram(&families_->delivery_latency.Add(labels, kLatency)),
          Gauge(&families_->delivery_circuit_open.Add(labels)),
          Gauge(&families_->delivery_in_flight.Add(labels)),
          Counter(&families_->consumer_rebuilds.Add(labels)),
          Counter(&families_->commits_refused.Add(labels))};
}

ConsumerPartition Metrics::Partition(const std::string& group, const std::string& topic,
                                     int partition) {
  const prometheus::Labels labels{
      {"group", group}, {"topic", topic}, {"partition", std::to_string(partition)}};
  return {Gauge(&families_->consumer_lag.Add(labels)),
          Gauge(&families_->consumer_lag_seconds.Add(labels)),
          Gauge(&families_->consumer_oldest.Add(labels))};
}

void Metrics::Remove(const ConsumerPartition& partition) {
  families_->consumer_lag.Remove(partition.lag.get());
  families_->consumer_lag_seconds.Remove(partition.lag_seconds.get());
  families_->consumer_oldest.Remove(partition.oldest_unsettled_age.get());
}

void Metrics::Remove(const ConsumerTopic& topic) {
  for (const auto& series : topic.events) families_->consumer_events.Remove(series.get());
  for (const auto& series : topic.failures) families_->consumer_failures.Remove(series.get());
  for (const auto& series : topic.lost) families_->consumer_lost.Remove(series.get());
}

void Metrics::Remove(const ConsumerSubscription& subscription) {
  families_->delivery_latency.Remove(subscription.latency.get());
  families_->delivery_circuit_open.Remove(subscription.circuit_open.get());
  families_->delivery_in_flight.Remove(subscription.in_flight.get());
  families_->consumer_rebuilds.Remove(subscription.rebuilds.get());
  families_->commits_refused.Remove(subscription.commits_refused.get());
}

SpoolMetrics Metrics::Spool() {
  SpoolMetrics series{.records = Gauge(&families_->spool_records.Add({})),
                      .bytes = Gauge(&families_->spool_bytes.Add({})),
                      .file_bytes = Gauge(&families_->spool_file_bytes.Add({})),
                      .max_bytes = Gauge(&families_->spool_max_bytes.Add({})),
                      .oldest_timestamp = Gauge(&families_->spool_oldest.Add({})),
                      .quarantined = Gauge(&families_->spool_quarantined.Add({})),
                      .salvaged = Counter(&families_->spool_salvaged.Add({})),
                      .lost = Counter(&families_->spool_lost.Add({})),
                      .latency = Histogram(&families_->spool_latency.Add({}, kLatency)),
                      .commit = Histogram(&families_->spool_commit.Add({}, kCommit))};
  for (size_t i = 0; i < kSpoolOutcomes.size(); ++i)
    series.left[i] = Counter(&families_->spool_left.Add({{"outcome", kSpoolOutcomes[i]}}));
  for (size_t i = 0; i < kSpoolErrors.size(); ++i)
    series.errors[i] = Counter(&families_->spool_errors.Add({{"reason", kSpoolErrors[i]}}));
  return series;
}

Counter Metrics::HttpRequests(std::string_view endpoint, int code) {
  std::lock_guard lock(families_->http_mutex);
  auto& series = families_->http_series[{std::string(endpoint), code}];
  if (!series)
    series = &families_->http_requests.Add(
        {{"endpoint", std::string(endpoint)}, {"code", std::to_string(code)}});
  return Counter(series);
}

void Metrics::ConfigReloaded(bool applied) {
  families_->config_reloads.Add(ReloadLabels(applied)).Increment();
  families_->config_successful.Add({}).Set(applied ? 1 : 0);
}
Gauge Metrics::MemoryBudget() { return Gauge(&families_->memory_budget.Add({})); }
Gauge Metrics::MemoryShare(const std::string& share) {
  return Gauge(&families_->memory_share.Add({{"share", share}}));
}
Gauge Metrics::MemoryUsed(const std::string& share) {
  return Gauge(&families_->memory_used.Add({{"share", share}}));
}
Gauge Metrics::HttpConnections() { return Gauge(&families_->http_connections.Add({})); }
Gauge Metrics::KafkaConnected() { return Gauge(&families_->kafka_connected.Add({})); }
Counter Metrics::ProducerRebuilds() { return Counter(&families_->producer_rebuilds.Add({})); }
Gauge Metrics::ProducerWaitingRecords() {
  return Gauge(&families_->producer_waiting_events.Add({}));
}
Gauge Metrics::ProducerWaitingBytes() { return Gauge(&families_->producer_waiting_bytes.Add({})); }

std::string Metrics::Text() const {
  auto& dropped = families_->log_dropped.Add({});
  const double more = static_cast<double>(DroppedLogLines()) - dropped.Value();
  if (more > 0) dropped.Increment(more);
  auto families = families_->registry.Collect();
  for (auto& family : ProcessMetrics()) families.push_back(std::move(family));
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace outrigger::telemetry
