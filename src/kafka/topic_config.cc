#include "kafka/topic_config.h"

#include <cstdlib>
#include <string_view>

namespace outrigger::kafka {
namespace {

TopicConfig Read(const rd_kafka_ConfigResource_t& resource) {
  TopicConfig config;
  config.topic = rd_kafka_ConfigResource_name(&resource);
  if (rd_kafka_ConfigResource_error(&resource) != RD_KAFKA_RESP_ERR_NO_ERROR) return config;
  size_t count = 0;
  const rd_kafka_ConfigEntry_t** entries = rd_kafka_ConfigResource_configs(&resource, &count);
  for (size_t i = 0; i < count; ++i) {
    const char* value = rd_kafka_ConfigEntry_value(entries[i]);
    if (!value) continue;
    const std::string_view name = rd_kafka_ConfigEntry_name(entries[i]);
    if (name == "max.message.bytes")
      config.max_message_bytes = std::strtoull(value, nullptr, 10);
    else if (name == "cleanup.policy")
      config.compacted = std::string_view(value).find("compact") != std::string_view::npos;
  }
  return config;
}

}  // namespace

void AskTopicConfig(Handle& handle, const std::string& topic) {
  rd_kafka_ConfigResource_t* resource =
      rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str());
  const Owned<rd_kafka_ConfigResource_t> owned(resource);
  const Owned<rd_kafka_AdminOptions_t> options(
      rd_kafka_AdminOptions_new(handle.rk(), RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS));
  rd_kafka_DescribeConfigs(handle.rk(), &resource, 1, options.get(), handle.queue());
}

std::vector<TopicConfig> TopicConfigsOf(rd_kafka_event_t& event) {
  const rd_kafka_DescribeConfigs_result_t* result = rd_kafka_event_DescribeConfigs_result(&event);
  size_t count = 0;
  const rd_kafka_ConfigResource_t** resources =
      result ? rd_kafka_DescribeConfigs_result_resources(result, &count) : nullptr;
  std::vector<TopicConfig> configs;
  for (size_t i = 0; i < count; ++i) configs.push_back(Read(*resources[i]));
  return configs;
}

}  // namespace outrigger::kafka
