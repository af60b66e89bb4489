#include "kafka/stall_watch.h"

#include <algorithm>

namespace outrigger::kafka {
namespace {

// A stall must be seen in what a recent lookup said.
constexpr auto kRecent = std::chrono::seconds(3);
constexpr base::Duration kLongest = std::chrono::minutes(10);

}  // namespace

StallWatch::Stall StallWatch::Find(const TopicTable& topics, base::TimePoint now,
                                   const std::function<void(Topic&)>& look_up) const {
  for (const auto& [name, topic] : topics.topics())
    for (const auto& queue : topic->queues()) {
      if (!Overdue(*queue, now)) continue;
      if (now - topic->looked_up() > kRecent)
        look_up(*topic);
      else if (topic->led(queue->partition))
        return {topic.get(), queue.get()};
    }
  return {};
}

bool StallWatch::Overdue(const PartitionQueue& queue, base::TimePoint now) const {
  if (queue.idle()) return false;
  const auto patience = std::min(after_ * (1 << std::min(queue.stalls, 10)), kLongest);
  return now - queue.handed_at >= patience + patience / 256 * jitter_;
}

}  // namespace outrigger::kafka
