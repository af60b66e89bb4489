// The part of a topic's configuration that decides which records it takes, asked of the brokers.
//
// Thread: the loop's. Source: librdkafka's DescribeConfigs; Kafka documentation, "Topic configs".
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kafka/handle.h"

namespace outrigger::kafka {

struct TopicConfig {
  std::string topic;
  std::optional<size_t> max_message_bytes = std::nullopt;  // or not told
  bool compacted = false;  // cleanup.policy: takes no record without a key
};

// The answer is an event of the handle's queue, of type RD_KAFKA_EVENT_DESCRIBECONFIGS_RESULT.
void AskTopicConfig(Handle& handle, const std::string& topic);

// Empty when the broker can't be asked at all, as the embedded one.
std::vector<TopicConfig> TopicConfigsOf(rd_kafka_event_t& event);

}  // namespace outrigger::kafka
