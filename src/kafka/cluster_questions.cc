#include "kafka/cluster_questions.h"

#include <regex.h>

#include <array>
#include <set>
#include <sstream>
#include <string_view>

namespace outrigger::kafka {
namespace {

constexpr int kTimeoutMs = 1000;
using Metadata = Owned<const rd_kafka_metadata_t>;

// What a subscription names: a topic, or ^expression. Of all topics, among which the latter are
// looked for, the cluster is asked once.
class Topics {
 public:
  explicit Topics(rd_kafka_t* rk) : rk_(rk) {}

  // Null: no answer. Valid until the next question.
  const rd_kafka_metadata_t* Of(const std::string& name) {
    if (name.starts_with('^')) return all_ ? all_.get() : (all_ = Ask(nullptr)).get();
    const Owned<rd_kafka_topic_t> topic(rd_kafka_topic_new(rk_, name.c_str(), nullptr));
    return (one_ = Ask(topic.get())).get();
  }

 private:
  Metadata Ask(rd_kafka_topic_t* only) {
    const rd_kafka_metadata_t* got = nullptr;
    rd_kafka_metadata(rk_, only == nullptr ? 1 : 0, only, &got, kTimeoutMs);
    return Metadata(got);
  }

  rd_kafka_t* rk_;
  Metadata all_, one_;
};

// As librdkafka matches them (rdregex.c): POSIX, extended, anywhere in the name but for the ^.
class Expression {
 public:
  explicit Expression(const std::string& text)
      : legal_(regcomp(&regex_, text.c_str(), REG_EXTENDED | REG_NOSUB) == 0) {}
  Expression(const Expression&) = delete;
  Expression& operator=(const Expression&) = delete;
  ~Expression() {
    if (legal_) regfree(&regex_);
  }
  bool Matches(const char* topic) const {
    return legal_ && regexec(&regex_, topic, 0, nullptr, 0) == 0;
  }

 private:
  regex_t regex_{};
  bool legal_;
};

// What an expression never takes: topic.blacklist, expressions between commas.
bool IsExcluded(rd_kafka_t* rk, const char* topic) {
  std::array<char, 4096> list{};
  size_t size = list.size();
  rd_kafka_conf_get(rd_kafka_conf(rk), "topic.blacklist", list.data(), &size);
  std::istringstream expressions(list.data());
  for (std::string each; std::getline(expressions, each, ',');)
    if (Expression(each).Matches(topic)) return true;
  return false;
}

// The topics of an answer that `name` means.
std::vector<const rd_kafka_metadata_topic*> Taken(rd_kafka_t* rk, const std::string& name,
                                                  const rd_kafka_metadata_t& answer) {
  std::vector<const rd_kafka_metadata_topic*> taken;
  const bool all = !name.starts_with('^');
  const Expression expression(name);
  for (int i = 0; i < answer.topic_cnt; ++i) {
    const rd_kafka_metadata_topic& each = answer.topics[i];
    if (all || (expression.Matches(each.topic) && !IsExcluded(rk, each.topic)))
      taken.push_back(&each);
  }
  return taken;
}

TopicState StateOf(const std::string& topic, rd_kafka_resp_err_t error) {
  TopicState state{topic, error, {}};
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
    state.text = "Subscribed topic not available: " + topic + ": " + rd_kafka_err2str(error);
  return state;
}

TopicState NoneMatches(const std::string& expression) {
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
  Topics asked(rk);
  for (const std::string& name : topics) {
    const rd_kafka_metadata_t* answer = asked.Of(name);
    if (answer == nullptr) return std::nullopt;
    const auto taken = Taken(rk, name, *answer);
    if (!name.starts_with('^')) {
      if (taken.empty()) return std::nullopt;
      states.push_back(StateOf(name, taken.front()->err));
    } else {
      states.push_back(taken.empty() ? NoneMatches(name)
                                     : StateOf(name, RD_KAFKA_RESP_ERR_NO_ERROR));
    }
  }
  return states;
}

std::optional<std::vector<TopicPartition>> FindSubscribed(rd_kafka_t* rk,
                                                          const std::vector<std::string>& topics) {
  std::set<TopicPartition> all;
  Topics asked(rk);
  for (const std::string& name : topics) {
    const rd_kafka_metadata_t* answer = asked.Of(name);
    if (answer == nullptr) return std::nullopt;
    for (const auto* topic : Taken(rk, name, *answer)) {
      if (topic->err != RD_KAFKA_RESP_ERR_NO_ERROR) continue;
      for (int i = 0; i < topic->partition_cnt; ++i)
        all.insert({topic->topic, topic->partitions[i].id});
    }
  }
  return std::vector<TopicPartition>(all.begin(), all.end());
}

}  // namespace outrigger::kafka
