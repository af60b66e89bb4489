#include "kafka/topic_identity.h"

#include <memory>

#include "kafka/handle.h"

namespace outrigger::kafka {
namespace {

constexpr int kTimeoutMs = 1000;
constexpr std::string_view kTag = "ot1:";

struct DestroyTopics {
  void operator()(rd_kafka_TopicCollection_t* topics) const {
    rd_kafka_TopicCollection_destroy(topics);
  }
};

std::string ClusterOf(rd_kafka_t* rk) {
  char* id = rd_kafka_clusterid(rk, 0);  // known with the first metadata
  if (id == nullptr) return {};
  std::string cluster = id;
  rd_kafka_mem_free(rk, id);
  return cluster;
}

// librdkafka would ask the controller, which may be away, and which the embedded broker has none
// of.
int32_t AnyBroker(rd_kafka_t* rk, const std::string& topic) {
  const Owned<rd_kafka_topic_t> any(rd_kafka_topic_new(rk, topic.c_str(), nullptr));
  const rd_kafka_metadata_t* got = nullptr;
  if (rd_kafka_metadata(rk, 0, any.get(), &got, kTimeoutMs) != RD_KAFKA_RESP_ERR_NO_ERROR)
    return -1;
  return Owned<const rd_kafka_metadata_t>(got)->orig_broker_id;
}

Owned<rd_kafka_event_t> Describe(rd_kafka_t* rk, const std::vector<std::string>& topics) {
  const int32_t broker = AnyBroker(rk, topics.front());
  if (broker < 0) return nullptr;
  std::vector<const char*> names;
  names.reserve(topics.size());
  for (const std::string& topic : topics) names.push_back(topic.c_str());
  const std::unique_ptr<rd_kafka_TopicCollection_t, DestroyTopics> collection(
      rd_kafka_TopicCollection_of_topic_names(names.data(), names.size()));
  const Owned<rd_kafka_AdminOptions_t> options(
      rd_kafka_AdminOptions_new(rk, RD_KAFKA_ADMIN_OP_DESCRIBETOPICS));
  rd_kafka_AdminOptions_set_request_timeout(options.get(), kTimeoutMs, nullptr, 0);
  rd_kafka_AdminOptions_set_broker(options.get(), broker, nullptr, 0);
  const Owned<rd_kafka_queue_t> answers(rd_kafka_queue_new(rk));
  rd_kafka_DescribeTopics(rk, collection.get(), options.get(), answers.get());
  return Owned<rd_kafka_event_t>(rd_kafka_queue_poll(answers.get(), 2 * kTimeoutMs));
}

}  // namespace

bool Differs(const TopicIdentity& a, const TopicIdentity& b) {
  return a.known() && b.known() && a.cluster == b.cluster && a.topic != b.topic;
}

Identities Identify(rd_kafka_t* rk, const std::vector<std::string>& topics) {
  Identities found;
  if (topics.empty()) return found;
  const auto answer = Describe(rk, topics);
  if (!answer || rd_kafka_event_error(answer.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) return found;
  const std::string cluster = ClusterOf(rk);
  size_t count = 0;
  const auto** descriptions = rd_kafka_DescribeTopics_result_topics(
      rd_kafka_event_DescribeTopics_result(answer.get()), &count);
  for (size_t i = 0; i < count; ++i) {
    const std::string name = rd_kafka_TopicDescription_name(descriptions[i]);
    const auto error = rd_kafka_error_code(rd_kafka_TopicDescription_error(descriptions[i]));
    if (error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) found.missing.insert(name);
    const rd_kafka_Uuid_t* id = rd_kafka_TopicDescription_topic_id(descriptions[i]);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR && (rd_kafka_Uuid_most_significant_bits(id) != 0 ||
                                                rd_kafka_Uuid_least_significant_bits(id) != 0))
      found.known[name] = {rd_kafka_Uuid_base64str(id), cluster};
  }
  return found;
}

std::string Tagged(const TopicIdentity& identity, const std::string& metadata) {
  const size_t tag = kTag.size() + identity.topic.size() + identity.cluster.size() + 2;
  if (!identity.known() || tag > kIdentityMax) return metadata;
  return std::string(kTag) + identity.topic + "@" + identity.cluster + ";" + metadata;
}

std::pair<TopicIdentity, std::string> Untagged(std::string_view committed) {
  const size_t at = committed.find('@');
  const size_t end = committed.find(';');
  if (!committed.starts_with(kTag) || end == std::string_view::npos || at > end)
    return {{}, std::string(committed)};
  return {{std::string(committed.substr(kTag.size(), at - kTag.size())),
           std::string(committed.substr(at + 1, end - at - 1))},
          std::string(committed.substr(end + 1))};
}

}  // namespace outrigger::kafka
