// All metrics of Outrigger, in one list. Names and labels are API; README.md describes them.
//
// Thread: any; looking a series up takes a lock and is done when the config or an assignment
// changes. Lifetime: outlives the handles that it gives.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "telemetry/series.h"

namespace outrigger::telemetry {

class Metrics;

// All series of one subscription. Thread: as Metrics; Topic: one thread.
class SubscriptionSeries : public ConsumerSubscription {
 public:
  SubscriptionSeries(Metrics& metrics, std::string subscription);
  SubscriptionSeries(const SubscriptionSeries&) = delete;
  SubscriptionSeries& operator=(const SubscriptionSeries&) = delete;
  ~SubscriptionSeries();

  // outrigger_consumer_events_total{subscription,topic,outcome}, …_failures_total{…,reason},
  // …_records_lost_total{…,reason}
  const ConsumerTopic& Topic(const std::string& topic);

 private:
  Metrics& metrics_;
  const std::string subscription_;
  std::unordered_map<std::string, ConsumerTopic> topics_;
};

class Metrics {
 public:
  Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;
  ~Metrics();

  // outrigger_producer_*{topic}. The label "none" is for events that no route took.
  ProducerTopic Producer(const std::string& topic_label);
  // outrigger_delivery_*{subscription}, outrigger_consumer_*{subscription}; the same ones for as
  // long as anybody keeps them, and gone with the last.
  std::shared_ptr<SubscriptionSeries> Subscription(const std::string& subscription);
  // outrigger_consumer_lag*{group,topic,partition}, …_oldest_unsettled_age_seconds{…}; gone with
  // Remove.
  ConsumerPartition Partition(const std::string& group, const std::string& topic, int partition);
  void Remove(const ConsumerPartition& partition);
  // outrigger_spool_*; there are none before.
  SpoolMetrics Spool();
  // outrigger_http_requests_total{endpoint,code}; cached, cheap for a known pair.
  Counter HttpRequests(std::string_view endpoint, int code);
  // A change of the config: outrigger_config_reloads_total{outcome="applied"|"refused"} and
  // outrigger_config_last_reload_successful.
  void ConfigReloaded(bool applied);
  Gauge MemoryBudget();                         // outrigger_memory_budget_bytes
  Gauge MemoryShare(const std::string& share);  // outrigger_memory_share_bytes{share}
  Gauge MemoryUsed(const std::string& share);   // outrigger_memory_used_bytes{share}
  Gauge HttpConnections();                      // outrigger_http_connections
  Gauge KafkaConnected();                       // outrigger_kafka_connected
  Counter ProducerRebuilds();                   // outrigger_producer_rebuilds_total
  Gauge ProducerWaitingRecords();               // outrigger_producer_waiting_events
  Gauge ProducerWaitingBytes();                 // outrigger_producer_waiting_bytes

  // The text exposition (version 0.0.4), process_* included. Any thread; not a flow's.
  std::string Text() const;

 private:
  friend class SubscriptionSeries;
  struct Families;

  ConsumerTopic Consumer(const std::string& subscription, const std::string& topic);
  ConsumerSubscription Delivery(const std::string& subscription);
  void Remove(const ConsumerTopic& topic);
  void Remove(const ConsumerSubscription& subscription);

  std::unique_ptr<Families> families_;
  std::mutex mutex_;  // of:
  std::map<std::string, std::weak_ptr<SubscriptionSeries>> subscriptions_;
};

}  // namespace outrigger::telemetry
