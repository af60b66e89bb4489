// Finds where a partition goes on whose next offset can't be read: the records there were deleted,
// the log was cut, or the topic is another one.
//
// Thread: the loop's; events come on it. Lifetime: what it refers to outlives it.
#pragma once

#include <functional>
#include <map>

#include "kafka/consumer.h"
#include "kafka/consumer_client.h"
#include "kafka/consumer_health.h"
#include "kafka/held_partitions.h"
#include "kafka/starting_points.h"

namespace outrigger::kafka {

// What has become of the records from `from` on, which is not within `range`. Pure.
Reset JudgeReset(const TopicPartition& at, const HeldPartition& held, int64_t from,
                 const Range& range);

class OffsetResets {
 public:
  struct Events {
    // Takes what waits in the client's queue, which may want the partition too; false: partitions
    // can't be moved now.
    std::function<bool()> make_ready;
    std::function<void(const Reset&, const Range&)> on_reset;
  };

  OffsetResets(ConsumerClient& client, HeldPartitions& held, ConsumerHealth& health, Events events);

  // `from`: the offset that could not be read; less than what was read by now counts for nothing.
  void Begin(const TopicPartition& at, int64_t from);

 private:
  void Ask(const TopicPartition& at, uint64_t epoch, int64_t from);
  void OnRange(const TopicPartition& at, uint64_t epoch, int64_t from,
               const base::Result<Range>& range);

  ConsumerClient& client_;
  HeldPartitions& held_;
  ConsumerHealth& health_;
  const Events events_;
  std::map<TopicPartition, base::Timer> again_;
};

}  // namespace outrigger::kafka
