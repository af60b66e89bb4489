// Asks the cluster every few seconds what there is to fetch, and notices a client that fetches none
// of it or that its group does not take in (fetch_watchdog.h).
//
// Thread: the loop's; `on_standstill` comes on it. Lifetime: what it refers to outlives it.
#pragma once

#include <functional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "kafka/consumer_client.h"
#include "kafka/consumer_health.h"
#include "kafka/fetch_watchdog.h"
#include "kafka/held_partitions.h"

namespace outrigger::kafka {

class StandstillWatch {
 public:
  struct State {
    bool active = false;           // there is a client that works and is not being closed
    bool joined = false;           // the group has taken us in
    bool passing_records = false;  // librdkafka holds none back, and they are polled
  };
  struct Events {
    std::function<State()> state;
    std::function<void(const std::string& why)> on_standstill;
  };

  StandstillWatch(ConsumerClient& client, ConsumerHealth& health, HeldPartitions& held,
                  std::string group, Events events);

  void Beat();
  // The client is being replaced because of it.
  void OnRenewed();

 private:
  void OnEnds(const std::vector<std::pair<TopicPartition, int64_t>>& ends);
  void Judge(const std::vector<FetchWatchdog::Seen>& seen);

  ConsumerClient& client_;
  ConsumerHealth& health_;
  HeldPartitions& held_;
  const std::string group_;
  const Events events_;
  FetchWatchdog watchdog_;
  ConsumerClient::Pace pace_;
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace outrigger::kafka
