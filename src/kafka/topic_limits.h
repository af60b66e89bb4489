// What a topic takes: how large a batch may be, and whether records need a key. The broker tells it
// (TopicConfig); what it does not tell is learned from refusals.
//
// Pure. Thread: the loop's.
#pragma once

#include <optional>
#include <string>

#include "kafka/partition_queue.h"
#include "kafka/topic_config.h"

namespace outrigger::kafka {

// An upper bound of what the record takes in a batch.
size_t BatchBytes(const event::Record& record);

class TopicLimits {
 public:
  void OnAsked(base::TimePoint now) { asked_ = now; }
  void OnConfig(const TopicConfig& config);
  void OnNoConfig() { answered_ = true; }

  // A batch of `bytes` was refused as too large.
  void OnTooLarge(size_t bytes, size_t records);
  // A record without a key was refused as invalid.
  void OnKeyMissing() { compacted_ = true; }

  // Why the topic is sure to refuse the record: with others in its batch it would cost much.
  std::optional<Refusal> Unfit(const Entry& entry, const std::string& topic,
                               bool compressing) const;
  BatchLimits ForBatch(base::TimePoint now) const;

 private:
  size_t bytes_ = 1'048'588;  // max.message.bytes; Kafka's own default
  bool told_ = false;         // the broker told `bytes_`
  bool compacted_ = false;    // cleanup.policy
  bool answered_ = false;     // the broker answered, if only that it does not tell
  base::TimePoint asked_;
};

}  // namespace outrigger::kafka
