#include "kafka/lookup.h"

namespace outrigger::kafka {
namespace {

// Long enough for a slow broker, short enough that an outage is known within a second or so.
constexpr int kTimeoutMs = 1000;

Lookup::Answer AskNow(Handle& handle, const std::string& topic) {
  Lookup::Answer answer;
  answer.topic = topic;
  Owned<rd_kafka_topic_t> only;
  if (!topic.empty()) only.reset(rd_kafka_topic_new(handle.rk(), topic.c_str(), nullptr));
  const rd_kafka_metadata_t* got = nullptr;
  answer.error = rd_kafka_metadata(handle.rk(), 0, only.get(), &got, kTimeoutMs);
  const Owned<const rd_kafka_metadata_t> metadata(got);
  if (answer.error != RD_KAFKA_RESP_ERR_NO_ERROR || topic.empty()) return answer;
  answer.topic_error = RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
  for (int i = 0; i < metadata->topic_cnt; ++i) {
    if (topic != metadata->topics[i].topic) continue;
    answer.topic_error = metadata->topics[i].err;
    answer.partitions = metadata->topics[i].partition_cnt;
    answer.led.resize(static_cast<size_t>(answer.partitions));
    for (int p = 0; p < answer.partitions; ++p) {
      const auto& partition = metadata->topics[i].partitions[p];
      if (partition.id < answer.partitions)
        answer.led[static_cast<size_t>(partition.id)] = partition.leader >= 0;
    }
  }
  return answer;
}

}  // namespace

Lookup::Lookup(base::Loop& loop, std::function<void(const Answer&)> on_answer)
    : on_answer_(std::move(on_answer)), calls_(loop) {}

void Lookup::Ask(std::shared_ptr<Handle> handle, std::string topic) {
  calls_.Ask(
      side_,
      [handle = std::move(handle), topic = std::move(topic)] { return AskNow(*handle, topic); },
      [this](const Answer& answer) { on_answer_(answer); });
}

void Lookup::Retire(std::shared_ptr<Handle> handle) {
  if (!retired_) retired_.emplace();
  retired_->Run([handle = std::move(handle)] {});
}

}  // namespace outrigger::kafka
