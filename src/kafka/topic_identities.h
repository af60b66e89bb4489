// Notices that an assigned topic was deleted, or deleted and created again: librdkafka reads the
// new one on where it was in the old one, and says nothing.
//
// Thread: the loop's; answers come on it. Lifetime: what it refers to outlives it.
#pragma once

#include <functional>
#include <vector>

#include "kafka/consumer.h"
#include "kafka/consumer_client.h"
#include "kafka/held_partitions.h"

namespace outrigger::kafka {

class TopicIdentities {
 public:
  // `on_other`: the topic of an assigned partition is another one now.
  TopicIdentities(ConsumerClient& client, HeldPartitions& held,
                  std::function<void(const TopicPartition&)> on_other);

  // Asks for the topics of all assigned partitions, every few seconds.
  void Beat();

  // Which of these assigned partitions have lost their topic, so that nobody else can deliver what
  // the flow has of them in memory. Where the cluster does not answer they count as there.
  struct Found {
    std::vector<Reset> gone;
    std::vector<TopicPartition> there;
  };
  void FindGone(const std::vector<TopicPartition>& at, std::function<void(Found)> on_found);

 private:
  struct Seen {
    TopicPartition at;
    uint64_t epoch = 0;
    int64_t end = -1;
  };
  void OnAnswer(const std::vector<Seen>& seen,
                const std::map<std::string, TopicIdentity>& identities);

  ConsumerClient& client_;
  HeldPartitions& held_;
  const std::function<void(const TopicPartition&)> on_other_;
  ConsumerClient::Pace pace_;
};

}  // namespace outrigger::kafka
