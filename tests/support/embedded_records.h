// Reads a topic of the embedded broker with a consumer of its own, to the end of every partition.
#pragma once

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace outrigger::test {

struct Stored {
  int32_t partition;
  int64_t offset;
  std::string key;
  std::string value;
};

// In order of partition and offset.
inline std::vector<Stored> ReadTopic(const std::string& bootstrap, const std::string& topic,
                                     int partitions) {
  char reason[256];
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  for (const auto& [name, value] : {std::pair<const char*, const char*>{"group.id", "reader"},
                                    {"enable.partition.eof", "true"},
                                    {"enable.auto.commit", "false"},
                                    {"fetch.wait.max.ms", "5"},
                                    {"log_level", "2"}})
    rd_kafka_conf_set(conf, name, value, reason, sizeof reason);
  rd_kafka_conf_set(conf, "bootstrap.servers", bootstrap.c_str(), reason, sizeof reason);
  rd_kafka_t* rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason, sizeof reason);
  if (!rk) throw std::runtime_error(reason);
  rd_kafka_poll_set_consumer(rk);
  rd_kafka_topic_partition_list_t* assignment = rd_kafka_topic_partition_list_new(partitions);
  for (int32_t partition = 0; partition < partitions; ++partition)
    rd_kafka_topic_partition_list_add(assignment, topic.c_str(), partition)->offset =
        RD_KAFKA_OFFSET_BEGINNING;
  rd_kafka_assign(rk, assignment);
  rd_kafka_topic_partition_list_destroy(assignment);
  std::vector<Stored> records;
  for (int ends = 0; ends < partitions;) {
    rd_kafka_message_t* message = rd_kafka_consumer_poll(rk, 20'000);
    if (!message) throw std::runtime_error("no answer from the embedded broker");
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) ++ends;
    if (!message->err)
      records.push_back({message->partition,
                         message->offset,
                         {static_cast<const char*>(message->key), message->key_len},
                         {static_cast<const char*>(message->payload), message->len}});
    rd_kafka_message_destroy(message);
  }
  std::sort(records.begin(), records.end(), [](const Stored& a, const Stored& b) {
    return std::pair(a.partition, a.offset) < std::pair(b.partition, b.offset);
  });
  rd_kafka_consumer_close(rk);
  rd_kafka_destroy(rk);
  return records;
}

}  // namespace outrigger::test
