#include "kafka/cluster_questions.h"

#include <regex.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace outrigger::kafka {
namespace {

constexpr int kTimeoutMs = 1000;
constexpr char kInternal[] = "__";  // topic.blacklist

using Metadata = Owned<const rd_kafka_metadata_t>;

// `only` null: of all topics.
Metadata Ask(rd_kafka_t* rk, rd_kafka_topic_t* only) {
  const rd_kafka_metadata_t* got = nullptr;
  rd_kafka_metadata(rk, only == nullptr ? 1 : 0, only, &got, kTimeoutMs);
  return Metadata(got);
}

TopicState StateOf(const std::string& topic, rd_kafka_resp_err_t error) {
  TopicState state{topic, error, {}};
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
    state.text = "Subscribed topic not available: " + topic + ": " + rd_kafka_err2str(error);
  return state;
}

// As librdkafka matches them: POSIX, extended, anywhere in the name but for the ^.
TopicState Match(const std::string& expression, const rd_kafka_metadata_t& all) {
  regex_t compiled;
  if (regcomp(&compiled, expression.c_str(), REG_EXTENDED | REG_NOSUB) != 0)
    return {expression, RD_KAFKA_RESP_ERR_NO_ERROR, {}};  // Subscribe has refused it
  const bool any = std::any_of(all.topics, all.topics + all.topic_cnt, [&](const auto& topic) {
    return !std::string_view(topic.topic).starts_with(kInternal) &&
           regexec(&compiled, topic.topic, 0, nullptr, 0) == 0;
  });
  regfree(&compiled);
  if (any) return {expression, RD_KAFKA_RESP_ERR_NO_ERROR, {}};
  return {expression, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART,
          "no topic matches " + expression + ", or none that the user of kafka.security may see"};
}

bool ReadsUncommitted(rd_kafka_t* rk) {
  std::array<char, 32> level{};
  size_t size = level.size();
  return rd_kafka_conf_get(rd_kafka_conf(rk), "isolation.level", level.data(), &size) ==
             RD_KAFKA_CONF_OK &&
         std::string_view(level.data()) == "read_uncommitted";
}

}  // namespace

std::vector<std::pair<TopicPartition, int64_t>> FindEnds(rd_kafka_t* rk,
                                                         const std::vector<TopicPartition>& at) {
  const PartitionList list = ToList(at);
  for (int i = 0; i < list->cnt; ++i) list->elems[i].offset = RD_KAFKA_OFFSET_SPEC_LATEST;
  const Owned<rd_kafka_AdminOptions_t> options{
      rd_kafka_AdminOptions_new(rk, RD_KAFKA_ADMIN_OP_LISTOFFSETS)};
  char reason[256];
  rd_kafka_AdminOptions_set_request_timeout(options.get(), kTimeoutMs, reason, sizeof reason);
  rd_kafka_error_t* unset = rd_kafka_AdminOptions_set_isolation_level(
      options.get(), ReadsUncommitted(rk) ? RD_KAFKA_ISOLATION_LEVEL_READ_UNCOMMITTED
                                          : RD_KAFKA_ISOLATION_LEVEL_READ_COMMITTED);
  if (unset != nullptr) rd_kafka_error_destroy(unset);
  const Owned<rd_kafka_queue_t> queue{rd_kafka_queue_new(rk)};
  rd_kafka_ListOffsets(rk, list.get(), options.get(), queue.get());
  const Owned<rd_kafka_event_t> event{rd_kafka_queue_poll(queue.get(), kTimeoutMs + 500)};
  std::vector<std::pair<TopicPartition, int64_t>> ends;
  const auto* result = event ? rd_kafka_event_ListOffsets_result(event.get()) : nullptr;
  if (result == nullptr) return ends;
  size_t count = 0;
  const auto** infos = rd_kafka_ListOffsets_result_infos(result, &count);
  for (size_t i = 0; i < count; ++i) {
    const auto* each = rd_kafka_ListOffsetsResultInfo_topic_partition(infos[i]);
    if (each->err == RD_KAFKA_RESP_ERR_NO_ERROR && each->offset >= 0)
      ends.push_back({{each->topic, each->partition}, each->offset});
  }
  return ends;
}

std::optional<std::vector<TopicState>> FindTopics(rd_kafka_t* rk,
                                                  const std::vector<std::string>& topics) {
  std::vector<TopicState> states;
  Metadata all;
  for (const std::string& name : topics) {
    if (name.starts_with('^')) {
      if (!all) all = Ask(rk, nullptr);
      if (!all) return std::nullopt;
      states.push_back(Match(name, *all));
      continue;
    }
    const Owned<rd_kafka_topic_t> topic(rd_kafka_topic_new(rk, name.c_str(), nullptr));
    const Metadata one = Ask(rk, topic.get());
    if (!one || one->topic_cnt == 0) return std::nullopt;
    states.push_back(StateOf(name, one->topics[0].err));
  }
  return states;
}

}  // namespace outrigger::kafka
