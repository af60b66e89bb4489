// What the cluster says of a consumer's topics and partitions now, whatever its client has cached.
//
// Thread: a side thread; each call blocks, a second or two at most.
#pragma once

#include <librdkafka/rdkafka.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kafka/consumer_handle.h"

namespace outrigger::kafka {

// The offset behind the newest record that may be read, of each partition whose leader answered.
// One request to each broker, however many partitions there are.
std::vector<std::pair<TopicPartition, int64_t>> FindEnds(rd_kafka_t* rk,
                                                         const std::vector<TopicPartition>& at);

struct TopicState {
  std::string topic;  // as the subscription names it: a name, or ^expression
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
  std::string text;  // of an error
};

// One state for each of `topics`; an expression that no topic matches is an unknown topic. nullopt:
// the cluster did not answer.
std::optional<std::vector<TopicState>> FindTopics(rd_kafka_t* rk,
                                                  const std::vector<std::string>& topics);

// All partitions of `topics` that are there, in order; nullopt: the cluster did not answer.
std::optional<std::vector<TopicPartition>> FindSubscribed(rd_kafka_t* rk,
                                                          const std::vector<std::string>& topics);

}  // namespace outrigger::kafka
