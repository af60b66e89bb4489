#include "kafka/tail_reader.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <utility>

#include "kafka/consumer_handle.h"
#include "kafka/fetch_bounds.h"
#include "kafka/record_batch.h"

namespace outrigger::kafka {
namespace {

// How long one call may block.
constexpr int64_t kCallMs = 1000;
constexpr int kPollMs = 50;
// What fetched records may take.
constexpr uint64_t kFetched = 8 << 20;
constexpr uint64_t kReceived = 32 << 20;

// A client without a group. It logs nothing by itself: whoever asks is told.
base::Result<Owned<rd_kafka_t>> Client(config::Kafka kafka) {
  kafka.consumer_properties.clear();
  PropertyList promised{{"log_level", "0"},
                        {"enable.partition.eof", "true"},
                        {"auto.offset.reset", "earliest"},
                        {"isolation.level", "read_committed"},
                        {"allow.auto.create.topics", "false"},
                        // 1 s unless told, and the time is short.
                        {"fetch.queue.backoff.ms", "5"}};
  for (auto& bound : FetchProperties(FetchBounds::Of(kFetched, kReceived), kafka))
    promised.push_back(std::move(bound));
  auto conf = ClientConf(kafka, kafka.producer_properties, promised);
  if (!conf) return base::Fail(conf.error());
  char reason[512];
  Owned<rd_kafka_t> rk(rd_kafka_new(RD_KAFKA_CONSUMER, conf->get(), reason, sizeof reason));
  if (!rk) return base::Fail(base::Error::Invalid(std::string("Kafka client: ") + reason));
  static_cast<void>(conf->release());  // the client owns it now
  return rk;
}

// One reading, on the side thread.
class TailRead {
 public:
  TailRead(Owned<rd_kafka_t> rk, const TailReader::Limits& limits, const std::atomic<bool>& stop)
      : rk_(std::move(rk)), limits_(limits), stop_(stop), until_(Clock::now() + limits.time) {}

  Tail Run(const TailQuestion& question) {
    for (const auto& topic : question.topics) FindPartitions(topic);
    const auto ends = Offsets(RD_KAFKA_OFFSET_END);
    const auto starts =
        Offsets(question.since_ms > 0 ? question.since_ms : RD_KAFKA_OFFSET_BEGINNING);
    for (const auto& [at, end] : ends)
      if (const auto start = starts.find(at); start != starts.end()) Begin(at, start->second, end);
    while (!reading_.empty() && TimeLeft() > 0) Poll();
    if (!reading_.empty()) tail_.whole = false;
    while (!reading_.empty()) End(reading_.begin());
    return std::move(tail_);
  }

 private:
  using Clock = std::chrono::steady_clock;
  struct Reading {
    rd_kafka_topic_t* topic = nullptr;
    int64_t end = 0;
    std::vector<TailRecord> records;
  };
  using Readings = std::map<TopicPartition, Reading>;

  int64_t TimeLeft() const {
    if (stop_) return 0;
    return std::chrono::duration_cast<std::chrono::milliseconds>(until_ - Clock::now()).count();
  }

  // Calls `question(milliseconds)` until it is answered or the time is over.
  template <typename Question>
  bool Ask(const Question& question) {
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR__TIMED_OUT;
    for (int64_t left; (left = TimeLeft()) > 0; rd_kafka_poll(rk_.get(), kPollMs)) {
      error = question(static_cast<int>(std::min(left, kCallMs)));
      if (error != RD_KAFKA_RESP_ERR__TIMED_OUT && error != RD_KAFKA_RESP_ERR__TRANSPORT) break;
    }
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return true;
    tail_.whole = false;
    tail_.error = rd_kafka_err2str(error);
    return false;
  }

  void Fail(const std::string& topic, rd_kafka_resp_err_t error) {
    tail_.error = topic + ": " + rd_kafka_err2str(error);
    if (error == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) tail_.denied = topic;
  }

  void FindPartitions(const std::string& name) {
    rd_kafka_topic_t* topic = Topic(name);
    const rd_kafka_metadata_t* got = nullptr;
    const auto ask = [&](int ms) { return rd_kafka_metadata(rk_.get(), 0, topic, &got, ms); };
    for (bool led = false; !led;) {
      if (!Ask(ask)) return;
      const Owned<const rd_kafka_metadata_t> metadata(got);
      if (metadata->topic_cnt == 0) return;
      const rd_kafka_metadata_topic& found = metadata->topics[0];
      if (found.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) return;  // nothing to read
      if (found.err != RD_KAFKA_RESP_ERR_NO_ERROR) return Fail(name, found.err);
      led = AddPartitions(name, found);
    }
  }

  // False: one has no leader, which it may have soon, as when the brokers have just started.
  bool AddPartitions(const std::string& name, const rd_kafka_metadata_topic& found) {
    const bool wait = TimeLeft() > limits_.time.count() / 2;
    std::vector<TopicPartition> led;
    for (int p = 0; p < found.partition_cnt; ++p) {
      if (found.partitions[p].leader >= 0)
        led.push_back({name, found.partitions[p].id});
      else if (!wait)
        Fail(name, RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE);
    }
    if (wait && led.size() < static_cast<size_t>(found.partition_cnt)) {
      rd_kafka_poll(rk_.get(), kPollMs);
      return false;
    }
    partitions_.insert(partitions_.end(), led.begin(), led.end());
    return true;
  }

  // Of each partition that answers; negative: there is no record of that time or later.
  std::map<TopicPartition, int64_t> Offsets(int64_t time) {
    std::map<TopicPartition, int64_t> offsets;
    PartitionList list;
    const auto ask = [&](int ms) {
      list = ToList(partitions_);
      for (int i = 0; i < list->cnt; ++i) list->elems[i].offset = time;
      return rd_kafka_offsets_for_times(rk_.get(), list.get(), ms);
    };
    if (partitions_.empty() || !Ask(ask)) return offsets;
    for (int i = 0; i < list->cnt; ++i) {
      const auto& each = list->elems[i];
      if (each.err == RD_KAFKA_RESP_ERR_NO_ERROR)
        offsets.emplace(TopicPartition{each.topic, each.partition}, each.offset);
      else
        Fail(each.topic, each.err);
    }
    return offsets;
  }

  rd_kafka_topic_t* Topic(const std::string& name) {
    auto& topic = topics_[name];
    if (!topic) topic.reset(rd_kafka_topic_new(rk_.get(), name.c_str(), nullptr));
    return topic.get();
  }

  void Begin(const TopicPartition& at, int64_t start, int64_t end) {
    if (start < 0 || start >= end) return;
    const auto share = static_cast<int64_t>(limits_.records / partitions_.size());
    start = std::max(start, end - std::max<int64_t>(share, 1));
    rd_kafka_topic_t* topic = Topic(at.topic);
    if (rd_kafka_consume_start_queue(topic, at.partition, start, queue_.get()) == 0)
      reading_.emplace(at, Reading{topic, end, {}});
  }

  void End(Readings::iterator at) {
    rd_kafka_consume_stop(at->second.topic, at->first.partition);
    reading_.erase(at);
  }

  void Poll() {
    const std::unique_ptr<rd_kafka_message_t, decltype(&rd_kafka_message_destroy)> message(
        rd_kafka_consume_queue(queue_.get(),
                               static_cast<int>(std::min<int64_t>(TimeLeft(), kPollMs))),
        rd_kafka_message_destroy);
    if (!message || message->rkt == nullptr) return;
    const TopicPartition at{rd_kafka_topic_name(message->rkt), message->partition};
    const auto found = reading_.find(at);
    if (found == reading_.end()) return;
    Reading& reading = found->second;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      if (message->offset < reading.end) reading.records.push_back(DigestOf(*message, at));
      if (message->offset + 1 < reading.end) return;
    } else if (message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      Fail(at.topic, message->err);
      reading.records.clear();
    }
    std::move(reading.records.begin(), reading.records.end(), std::back_inserter(tail_.records));
    End(found);
  }

  static TailRecord DigestOf(const rd_kafka_message_t& message, const TopicPartition& at) {
    RecordBatch batch(0);
    batch.Add(message, at, 0);
    Consumed consumed = std::move(batch.Take().front());
    event::Record record;
    record.topic = std::move(consumed.topic);
    record.key = std::move(consumed.key);
    record.value = std::move(consumed.value);
    record.headers = std::move(consumed.headers);
    return {event::DigestOf(record), {consumed.partition, consumed.offset}};
  }

  const Owned<rd_kafka_t> rk_;
  const TailReader::Limits limits_;
  const std::atomic<bool>& stop_;
  const Clock::time_point until_;
  const Owned<rd_kafka_queue_t> queue_{rd_kafka_queue_new(rk_.get())};
  std::map<std::string, Owned<rd_kafka_topic_t>> topics_;
  std::vector<TopicPartition> partitions_;
  Readings reading_;
  Tail tail_;
};

}  // namespace

TailReader::TailReader(base::Loop& loop, config::Kafka kafka, Limits limits)
    : kafka_(std::move(kafka)), limits_(limits), calls_(loop) {}

TailReader::~TailReader() { stop_ = true; }

void TailReader::Read(TailQuestion question, OnTail on_tail) {
  calls_.Ask(
      side_,
      [this, kafka = kafka_, question = std::move(question)] {
        auto client = Client(kafka);
        if (client) return TailRead(std::move(*client), limits_, stop_).Run(question);
        Tail none;
        none.whole = false;
        none.error = client.error().message;
        return none;
      },
      std::move(on_tail));
}

}  // namespace outrigger::kafka
