// Finds a producer's topics in the cluster: their partitions and their configuration; and asks
// whether a broker answers at all.
//
// Thread: the loop's; `events` come on it, never inside Ask. Lifetime: the table and the health
// outlive it; destroying it waits for the lookup under way, a second at most.
#pragma once

#include <functional>
#include <memory>

#include "kafka/broker_health.h"
#include "kafka/lookup.h"
#include "kafka/topic_table.h"

namespace outrigger::kafka {

class TopicFinder {
 public:
  struct Events {
    std::function<void(Topic&)> on_placed;                   // what waits can be placed
    std::function<void(Topic&)> on_replaced;                 // it was deleted and created again
    std::function<void(Topic&, const Refusal&)> on_refused;  // what waits is not taken
  };

  TopicFinder(base::Loop& loop, TopicTable& topics, BrokerHealth& brokers,
              base::Duration unknown_after, Events events);

  // Asks by this client from now on, and lets go of the one before where that may block.
  void Use(std::shared_ptr<Handle> handle);

  // Looks the topic up, unless that is under way or would not be answered.
  void Ask(Topic& topic);
  void AskAgainSoon(Topic& topic);
  // A record names a partition that is not there: the topic may have grown since.
  void AskForMorePartitions(Topic& topic);
  void AskConfig(Topic& topic);
  // Looks up topics that are published to and were not looked up for a while.
  void Refresh();
  // Asks whether a broker answers.
  void Ping();

  // A broker gave a sign of life. When it is the first, topics that records wait for are looked up.
  void OnHeard(base::TimePoint now);
  void OnConfig(rd_kafka_event_t& event);

 private:
  void AskAgainIn(Topic& topic, base::Duration delay);
  void OnAnswer(const Lookup::Answer& answer);
  void OnPartitions(Topic& topic, const Lookup::Answer& answer);
  void OnUnknown(Topic& topic, rd_kafka_resp_err_t error);

  base::Loop& loop_;
  TopicTable& topics_;
  BrokerHealth& brokers_;
  const base::Duration unknown_after_;
  const Events events_;
  std::shared_ptr<Handle> handle_;
  Lookup lookup_;
};

}  // namespace outrigger::kafka
