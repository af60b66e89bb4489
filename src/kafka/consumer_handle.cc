#include "kafka/consumer_handle.h"

#include <unistd.h>

#include <array>

#include "kafka/consumer.h"

namespace outrigger::kafka {
namespace {

constexpr char kNotByRegex[] = "topic.blacklist";

// How soon new topics are seen, and how soon a member hears that another has come or gone; the
// config's own values win.
const PropertyList kDefaults{{"heartbeat.interval.ms", "1000"},
                             {"fetch.error.backoff.ms", "100"},
                             // 1 s unless told: the queue is long empty by then.
                             {"fetch.queue.backoff.ms", "20"},
                             {"topic.metadata.refresh.interval.ms", "10000"},
                             // A regular expression is not meant for Kafka's own topics.
                             {kNotByRegex, "^__"}};

constexpr char kInstanceId[] = "group.instance.id";
constexpr char kHostname[] = "{hostname}";

// Of all pods of a Deployment one file is read, and no two may have the same id. In a pod the
// host's name is the pod's, which a container that is started again keeps.
std::string WithHostname(std::string id) {
  std::array<char, 256> hostname{};
  gethostname(hostname.data(), hostname.size() - 1);
  if (const size_t at = id.find(kHostname); at != std::string::npos)
    id.replace(at, sizeof kHostname - 1, hostname.data());
  return id;
}

// Beside the topics that the config names.
void Pass(const config::Kafka& kafka, const std::vector<std::string>& topics,
          config::Properties& role) {
  if (topics.empty()) return;
  const auto common = kafka.properties.find(kNotByRegex);
  if (common != kafka.properties.end()) role.insert(*common);
  std::string& pattern = role[kNotByRegex].value;
  for (const auto& topic : topics) {
    pattern += ",^";
    for (const char c : topic) pattern += c == '.' ? "[.]" : std::string(1, c);
    pattern += "$";
  }
}

config::Properties RoleOf(const ConsumerOptions& options) {
  const config::Kafka& kafka = options.kafka;
  config::Properties role = kafka.consumer_properties;
  for (const auto& [name, value] : kDefaults)
    if (!kafka.properties.contains(name)) role.emplace(name, config::Text{value, {}, name});
  for (const auto& [name, value] : FetchProperties(options.fetch, kafka))
    role.insert_or_assign(name, config::Text{value, {}, name});
  Pass(kafka, options.never, role);
  const auto common = kafka.properties.find(kInstanceId);
  if (common != kafka.properties.end()) role.insert(*common);
  if (const auto id = role.find(kInstanceId); id != role.end())
    id->second.value = WithHostname(id->second.value);
  return role;
}

std::string Text(rd_kafka_error_t* error) {
  if (error == nullptr) return {};
  std::string text = rd_kafka_error_string(error);
  rd_kafka_error_destroy(error);
  return text.empty() ? "unknown error" : text;
}

}  // namespace

PartitionList ToList(const std::vector<TopicPartition>& at) {
  PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(at.size())));
  for (const auto& each : at)
    rd_kafka_topic_partition_list_add(list.get(), each.topic.c_str(), each.partition);
  return list;
}

std::vector<TopicPartition> FromList(const rd_kafka_topic_partition_list_t* list) {
  std::vector<TopicPartition> at;
  for (int i = 0; list != nullptr && i < list->cnt; ++i)
    at.push_back({list->elems[i].topic, list->elems[i].partition});
  return at;
}

base::Result<std::shared_ptr<ConsumerHandle>> ConsumerHandle::Create(
    const ConsumerOptions& options) {
  // auto.offset.reset error: an offset that is out of range is ours to name before anything is
  // skipped. enable.partition.eof: how far a partition is known to have been read, where its last
  // records are none that come.
  const PropertyList promised{{"group.id", options.group},
                              {"enable.auto.commit", "false"},
                              {"enable.auto.offset.store", "false"},
                              {"partition.assignment.strategy", "cooperative-sticky"},
                              {"auto.offset.reset", "error"},
                              {"enable.partition.eof", "true"},
                              {"allow.auto.create.topics", "false"}};
  const config::Properties role = RoleOf(options);
  if (const auto id = role.find(kInstanceId);
      id != role.end() && id->second.value.find('{') != std::string::npos) {
    return base::Fail(
        base::Error::Invalid("group.instance.id: \"" + id->second.value +
                                 "\" has a place that is not known, so all pods would have one id",
                             std::string(kHostname) + " is the one that there is"));
  }
  auto conf = ClientConf(options.kafka, role, promised);
  if (!conf) return base::Fail(conf.error());
  rd_kafka_conf_set_events(conf->get(), RD_KAFKA_EVENT_FETCH | RD_KAFKA_EVENT_REBALANCE |
                                            RD_KAFKA_EVENT_OFFSET_COMMIT | RD_KAFKA_EVENT_ERROR);
  auto group = std::make_unique<GroupRequests>();
  group->Watch(conf->get());
  char reason[512];
  rd_kafka_t* rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf->get(), reason, sizeof reason);
  if (rk == nullptr)
    return base::Fail(base::Error::Invalid(std::string("Kafka client: ") + reason));
  static_cast<void>(conf->release());  // the client owns it now
  rd_kafka_poll_set_consumer(rk);
  return std::make_shared<ConsumerHandle>(std::move(group), rk,
                                          Owned<rd_kafka_queue_t>(rd_kafka_queue_get_consumer(rk)));
}

ConsumerHandle::~ConsumerHandle() {
  rd_kafka_queue_io_event_enable(queue_.get(), -1, nullptr, 0);
  queue_.reset();
  rd_kafka_destroy_flags(rk_, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

void ConsumerHandle::Leave(std::chrono::milliseconds within) {
  if (!instance_id().empty() || !group_->ever_joined()) return;
  const auto until = std::chrono::steady_clock::now() + within;
  rd_kafka_unsubscribe(rk_);
  while (!group_->left() && std::chrono::steady_clock::now() < until) {
    const Owned<rd_kafka_event_t> event{rd_kafka_queue_poll(queue_.get(), 20)};
    if (!event || rd_kafka_event_type(event.get()) != RD_KAFKA_EVENT_REBALANCE) continue;
    if (rd_kafka_event_error(event.get()) == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
      Assign(ToList({}).get());
    } else {
      Unassign(rd_kafka_event_topic_partition_list(event.get()));
    }
  }
}

std::string ConsumerHandle::instance_id() const {
  std::array<char, 256> id{};
  size_t size = id.size();
  rd_kafka_conf_get(rd_kafka_conf(rk_), kInstanceId, id.data(), &size);
  return id.data();
}

base::Result<void> ConsumerHandle::Subscribe(const std::vector<std::string>& topics) {
  const PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(topics.size())));
  for (const auto& topic : topics)
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
  const rd_kafka_resp_err_t error = rd_kafka_subscribe(rk_, list.get());
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  return base::Fail(base::Error::Invalid(
      std::string("the topics can't be subscribed to: ") + rd_kafka_err2str(error),
      "names of topics, or regular expressions that start with ^"));
}

std::string ConsumerHandle::Assign(rd_kafka_topic_partition_list_t* more) {
  return Text(rd_kafka_incremental_assign(rk_, more));
}

std::string ConsumerHandle::Unassign(rd_kafka_topic_partition_list_t* less) {
  return Text(rd_kafka_incremental_unassign(rk_, less));
}

}  // namespace outrigger::kafka
