#include "kafka/lookup.h"

namespace outrigger::kafka {
namespace {

// Long enough for a slow broker, short enough that an outage is known within a second or so.
constexpr int kTimeoutMs = 1000;

}  // namespace

Lookup::Lookup(base::Loop& loop, std::function<void(const Answer&)> on_answer)
    : loop_(loop), on_answer_(std::move(on_answer)), thread_([this] { Run(); }) {}

Lookup::~Lookup() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  thread_.join();
  *alive_ = false;
}

void Lookup::Ask(std::shared_ptr<Handle> handle, std::string topic) {
  {
    std::lock_guard lock(mutex_);
    questions_.push_back({std::move(handle), std::move(topic), false});
  }
  wake_.notify_one();
}

void Lookup::Retire(std::shared_ptr<Handle> handle) {
  {
    std::lock_guard lock(mutex_);
    questions_.push_back({std::move(handle), {}, true});
  }
  wake_.notify_one();
}

void Lookup::Run() {
  while (true) {
    Question question;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stop_ || !questions_.empty(); });
      if (stop_) return;
      question = std::move(questions_.front());
      questions_.pop_front();
    }
    if (question.retire) continue;  // the handle goes with the question
    Answer answer = AskNow(*question.handle, question.topic);
    loop_.Post([this, alive = alive_, answer = std::move(answer)] {
      if (*alive) on_answer_(answer);
    });
  }
}

Lookup::Answer Lookup::AskNow(Handle& handle, const std::string& topic) {
  Answer answer;
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
  }
  return answer;
}

}  // namespace outrigger::kafka
